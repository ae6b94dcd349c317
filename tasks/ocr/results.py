"""`PdfText`: the result of a job of OCR, and the sentence that sums it up."""

import msgspec

from tasks.ocr.pages import FailedPage
from tasks.sdk.types import INCOMPLETE_TAGS, incomplete

LISTED = 100
"""Failed pages listed in the result, which is kept in Redis and shown whole."""

NAMED = 10
"""Doubtful pages that a message names."""


class PdfText(msgspec.Struct):
    """Result of a reading. The text itself is in the artefacts, however long it is."""

    pages: int
    words: int
    ocr_pages: int
    text_layer_pages: int
    blank_pages: int
    failed: int
    failed_pages: list[FailedPage]
    """The first LISTED of them; all stand in pages.json."""
    doubtful_pages: list[int] = msgspec.field(default_factory=list)
    """Pages whose text a person should check before it is relied on; pages.json has each one's reason."""
    documents: int | None = None
    """Documents that the batch was split into, where that was asked for."""
    tables: int | None = None
    """Tables in tables.csv, where that was asked for."""
    notes: list[str] = msgspec.field(default_factory=list)
    """Sentences on options that could not be met."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which the job is found."""
        return ("doubtful", *(INCOMPLETE_TAGS if self.failed else ())) if self.doubtful_pages or self.failed else ()

    @property
    def counts(self) -> dict[str, int]:
        """Pages by result, for the metrics."""
        return {
            "page_read": self.pages - self.failed,
            "page_doubtful": len(self.doubtful_pages),
            "page_blank": self.blank_pages,
            "page_failed": self.failed,
        }

    @property
    def usage(self) -> dict[str, int]:
        """Pages that its owner is charged for."""
        return {"pages_read": self.pages - self.failed}

    @property
    def summary(self) -> str:
        """The message of the completed job; empty where there is nothing to say of it."""
        parts = []
        if self.doubtful_pages:
            count = len(self.doubtful_pages)
            parts.append(f"{count:,} of {_pages(self.pages)} read doubtfully ({_numbers(self.doubtful_pages, count)})")
        if self.failed:
            lost = [failure.page for failure in self.failed_pages]
            parts.append(f"{self.failed:,} of {_pages(self.pages)} not read ({_numbers(lost, self.failed)})")
        return incomplete(*parts)


def _pages(total: int) -> str:
    return f"{total:,} page{'' if total == 1 else 's'}"


def _numbers(pages: list[int], count: int) -> str:
    named = ", ".join(map(str, pages[:NAMED]))
    return f"{named} and {count - NAMED:,} more" if count > NAMED else named
