"""The language that a reader wants, and the catalogues of texts."""

import asyncio
from pathlib import Path

import pytest

from service.lib import languages
from service.lib.languages import (
    add_translations_of,
    current_language,
    gettext,
    in_language,
    language_of,
    ngettext,
    pgettext,
    translated,
    use_language,
)

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "It is done."
msgstr "of a package"

msgid "frobnicated"
msgstr "gefrobnizt"

msgctxt "verb"
msgid "export"
msgstr "exportieren"

msgid "{count} thing"
msgid_plural "{count} things"
msgstr[0] "{count} Ding"
msgstr[1] "{count} Dinge"
"""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("de", "de"), ("de-CH", "de"), ("DE", "de"), ("fr,de;q=0.3", "de"), ("en;q=0.3,de;q=0.4", "de"),
        ("en,de", "en"), ("de;q=0", "en"), ("fr, *;q=0.5", "en"), ("de;q=nan", "en"), ("de;q=x", "en"), (";;,,q", "en"),
    ],
)  # fmt: skip
def test_the_language_that_a_browser_asks_for(header: str, language: str) -> None:
    assert language_of(header) == language


def test_a_language_that_is_wanted_by_name_counts_more_than_the_header() -> None:
    assert (language_of("de", "en"), language_of("en", "de"), language_of("de", "tlh")) == ("en", "de", "de")


async def test_requests_at_the_same_time_do_not_mix() -> None:
    async def request(language: str) -> str:
        use_language(language)
        await asyncio.sleep(0)
        return current_language()

    tasks = [asyncio.create_task(request(language)) for language in ("de", "en", "de", "tlh")]
    assert await asyncio.gather(*tasks) == ["de", "en", "de", "en"]
    assert current_language() == "en"


def test_a_text_in_another_language_for_a_while() -> None:
    with in_language("de"):
        assert gettext("It is done.") == "Er ist fertig." and gettext("unknown") == "unknown"
    assert gettext("It is done.") == "It is done."
    assert translated({"end": "It is done."}, "de") == {"end": "Er ist fertig."}


def test_a_package_brings_a_catalogue_and_a_broken_one_takes_none_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_folders", list(languages._folders))
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "jobs.po").write_text(CATALOGUE)
    (tmp_path / "de" / "broken.po").write_text('msgid "a\nmsgstr')
    try:
        (tmp_path / "translations").mkdir()
        (tmp_path / "de").rename(tmp_path / "translations" / "de")
        (tmp_path / "package_with_words.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        add_translations_of(["package_with_words", "no_such_package"])
        with in_language("de"):
            assert (gettext("frobnicated"), gettext("It is done.")) == ("gefrobnizt", "Er ist fertig.")
            assert (pgettext("verb", "export"), pgettext("noun", "export")) == ("exportieren", "export")
            texts = [ngettext("{count} thing", "{count} things", count) for count in (1, 2)]
            assert texts == ["{count} Ding", "{count} Dinge"]
    finally:
        monkeypatch.undo()
        languages.forget()
