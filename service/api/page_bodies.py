"""A page of a document as clients see it."""

from typing import Any

import msgspec

from service.documents.corrections.readings import DocumentPage
from service.engine.job_status import rfc3339
from tasks.ocr.confidence import is_unsure


class PageWord(msgspec.Struct):
    """One word. `box` is left, top, right and bottom in points from the top left corner of the page as displayed."""

    order: int
    line: int
    block: int
    text: str
    box: tuple[float, float, float, float]
    confidence: float
    doubtful: bool
    """True where a person should look at the word."""
    corrected: bool
    """True where a person wrote or confirmed it."""


class PageCorrectionBody(msgspec.Struct):
    """A correction that a person has made. An empty `after` took the words off the page."""

    box: tuple[float, float, float, float]
    before: str
    after: str


class PageBody(msgspec.Struct):
    """A page of the document's newest completed reading, with its corrections."""

    file_id: str
    page: int
    total_pages: int
    job_id: str
    """The reading."""
    version: str
    """To be sent with a change."""
    width: float | None
    height: float | None
    """Points."""
    rotation: int
    """Degrees clockwise that bring the picture upright."""
    source: str | None
    engine: str | None
    confidence: float | None
    doubtful: bool
    doubt: str | None
    approved: bool
    """True where a person has found this very text to be right."""
    text: str
    words: list[PageWord]
    corrections: list[PageCorrectionBody]
    corrected_at: str | None
    reason: str | None
    """Reason why a page has no text that was not read."""
    reading_again: str | None
    """The job that is reading this page again: until it has ended, the page takes no change."""
    doubtful_pages: list[int]
    """Of the whole document."""
    files_follow: str | None = None
    """The job by which the reading's files follow a change; null where they have followed."""


def page_body(page: DocumentPage, files_follow: str | None = None) -> PageBody:
    """The object of `GET /api/documents/{id}/pages/{n}`."""
    read, correction = page.read, page.stored.correction
    at = page.stored.updated_at
    return PageBody(
        file_id=page.document.file_id,
        page=page.number,
        total_pages=page.total,
        job_id=page.job.id,
        version=page.version,
        width=read.width if read else None,
        height=read.height if read else None,
        rotation=read.rotation if read else 0,
        source=read.source if read else None,
        engine=read.engine if read else None,
        confidence=read.confidence if read else None,
        doubtful=read.doubtful if read else False,
        doubt=read.doubt if read else None,
        approved=page.approved,
        text=read.text if read else "",
        words=[_word(word, read.engine) for word in read.words] if read else [],
        corrections=[PageCorrectionBody(edit.box, edit.before, edit.after) for edit in correction.edits],
        corrected_at=rfc3339(int(at.timestamp() * 1000)) if at and page.stored.version else None,
        reason=page.reason or None,
        reading_again=page.rereading.id if page.rereading else None,
        doubtful_pages=list(page.doubtful),
        files_follow=files_follow,
    )


def _word(word: Any, engine: str | None) -> PageWord:
    corrected = word.corrected is True
    doubtful = not corrected and is_unsure(word, engine)
    return PageWord(word.order, word.line, word.block, word.text, word.box, word.confidence, doubtful, corrected)
