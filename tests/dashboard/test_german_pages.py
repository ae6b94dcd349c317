"""Every page of the route table in German: no text of a template is left in English."""

import re
from html import unescape
from typing import Any

from litestar import Litestar

from dashboard.translation.catalogue import catalogue
from service.lib.languages import catalogues, in_language
from service.lib.sentences.recogniser import shown
from tests.dashboard.conftest import OPERATOR
from tests.dashboard.test_isolation import Installation, installation, signed_in  # noqa: F401  # they are fixtures

SHOWN = re.compile(r'\s(?:title|aria-label|placeholder|alt|data-label)="([^"]*)"')
WRITTEN_IN_ENGLISH = re.compile(r'<(section|span|div)[^>]* lang="en".*?</\1>', re.DOTALL)
"""Documents, and sentences of jobs and their errors."""


NO_SENTENCE = re.compile(r'<(pre|script|style)[ >].*?</\1>|<section[^>]* id="audit".*?</section>', re.DOTALL)

ENGLISH_BY_RIGHT = re.compile(r"/admin/(audit|jobs/[^/]+/log|openapi)")
"""Pages of records that are in English in every language."""

OF_CODE = {"All jobs", "Document ids", "550 5.1.1 <user2@example.com>: no such user"}
"""Texts that pages have from code, where templates say the same; the name of a field, and a mail server's reply."""


def english_texts() -> dict[str, str]:
    """Texts of templates that read otherwise in German, without values; long enough to be no name of a user's thing."""
    return {
        str(message.id): str(message.string)
        for message in catalogue("de")
        if message.id
        and message.string != message.id
        and " " in message.id
        and not re.search(r"[{<\[\\]", str(message.id))
    }


def shown_texts(html: str) -> set[str]:
    """Texts between tags, and in attributes that are shown."""
    html = WRITTEN_IN_ENGLISH.sub("", html)
    texts = [*re.split(r"<[^>]*>", html), *SHOWN.findall(html)]
    return {re.sub(r"\s+", " ", text).strip() for text in texts}


def sentences_left(html: str) -> set[str]:
    """Texts that the catalogue of sentences has in German: as a whole, with their values, or as a part of a text."""
    whole = {
        str(one.id)
        for found in catalogues("de")
        for one in found
        if isinstance(one.id, str) and "{" not in one.id and one.id.count(" ") >= 2 and one.string != one.id
    }
    with in_language("de"):
        texts = {unescape(text) for text in shown_texts(NO_SENTENCE.sub("", html)) if " " in text}
        return {text for text in texts if shown(text) != text or any(one in text for one in whole)}


async def test_no_page_has_a_text_in_english(
    served: tuple[Litestar, str],
    signed_in: Any,  # noqa: F811  # a fixture
    installation: Installation,  # noqa: F811  # as above
) -> None:
    operator, english, pages = signed_in(OPERATOR), english_texts(), 0
    operator.headers["accept-language"] = "de-DE,de;q=0.9,en;q=0.5"
    left: dict[str, list[str]] = {}
    for path in installation.paths(served[0], "GET"):
        answer = await operator.get(path)
        assert answer.status_code < 500, path
        mail = path.endswith("/message")
        if mail or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        if "<html" in answer.text:
            pages += 1
            assert '<html lang="de"' in answer.text, path
        found = (shown_texts(answer.text) & set(english)) - OF_CODE
        if not ENGLISH_BY_RIGHT.match(path):
            found |= sentences_left(answer.text) - OF_CODE
        if found:
            left[path] = sorted(found)
    assert left == {}, left
    assert pages > 25
