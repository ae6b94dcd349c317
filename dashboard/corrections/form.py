"""The form of a page: what it sends as a change, and what a refusal gives back of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.api.error_table import explained
from service.database import Document
from service.documents.corrections.correcting import Corrected, Correcting
from service.documents.corrections.editing import PageChange, WordChange
from service.documents.corrections.readings import DocumentPage
from service.documents.corrections.rows import PageChanged
from tasks.sdk.errors import Refused

FIELD = "word-"
"""Beginning of the names of fields that hold a word, followed by its number."""


@dataclass(frozen=True)
class Conflict:
    """Both texts of a word that another person has changed."""

    now: str
    typed: str


@dataclass(frozen=True)
class Outcome:
    """Result of a form: the page as it is now, and where it was refused the sentence, and all that was typed."""

    page: DocumentPage
    status_code: int = 200
    refusal: str = ""
    typed: Mapping[int, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    done: Corrected | None = None


def change_of(form: Mapping[str, str], page: DocumentPage) -> PageChange:
    """The change that a form asks for: one word or line, an approval, or without scripts all words that differ."""
    version = form.get("version", "")[:64]
    if form.get("approved") in ("0", "1"):
        return PageChange(version=version, approved=form["approved"] == "1")
    for name in ("order", "line"):
        if (number := _number(form.get(name))) is not None:
            change = {name: number, "text": form.get("text", ""), "remove": form.get("remove") == "1"}
            return PageChange(version=version, words=[WordChange(**change)])  # type: ignore[arg-type]  # fields of its own
    there = {word.order: word.text for word in page.read.words} if page.read else {}
    sent = {order: text for order, text in typed_words(form).items() if there.get(order) != text}
    return PageChange(version=version, words=[WordChange(order=order, text=text) for order, text in sent.items()])


def typed_words(form: Mapping[str, str]) -> dict[int, str]:
    """Texts of words by their numbers, as they were typed."""
    typed = {
        number: text
        for name, text in form.items()
        if name.startswith(FIELD) and (number := _number(name.removeprefix(FIELD))) is not None
    }
    if (order := _number(form.get("order"))) is not None:
        typed[order] = form.get("text", "")
    return typed


async def sent(correcting: Correcting, document: Document, number: int, form: Mapping[str, str], by: str) -> Outcome:
    """Make the change of a form. What is refused stands in the outcome, with all that was typed; nothing is lost."""
    page = await correcting.readings.page(document, number)
    change = change_of(form, page)
    try:
        done = await correcting.correct(document, number, change, by=by)
    except (Refused, PageChanged) as error:
        found = explained(error)
        page = await correcting.readings.page(document, number)
        typed = typed_words(form)
        return Outcome(page, found.status_code, found.sentence, typed, _conflicts(error, change, page))
    return Outcome(done.page, done=done)


def _conflicts(error: Exception, change: PageChange, page: DocumentPage) -> tuple[Conflict, ...]:
    if not isinstance(error, PageChanged) or page.read is None:
        return ()
    found = []
    for one in change.words[:20]:
        words = [
            word.text
            for word in page.read.words
            if (word.order == one.order if one.order is not None else word.line == one.line)
        ]
        found.append(Conflict(" ".join(words) or "–", one.text or "–"))
    return tuple(found)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else None
