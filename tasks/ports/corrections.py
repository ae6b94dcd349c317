"""Corrections of pages by people, and the list of pages that wait for a person."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tasks.ocr.corrections import PageCorrection
from tasks.sdk import Run


class DoubtfulPage(NamedTuple):
    """A page that a person should look at. `page` counts from 1; `engine` is empty for the page's own text."""

    page: int
    engine: str
    doubt: str
    confidence: float


class EngineCount(NamedTuple):
    """Pages of a document by the engine that read them."""

    pages: int
    doubtful: int
    failed: int


class Corrections(Protocol):
    """Corrections of the pages of a document by people. They belong to the document's bytes, and outlive each reading."""

    async def turned(self, file_id: str) -> Mapping[int, int]:
        """Degrees by page (from 1) for the pages that a person has turned. Raises Permanent where the document is gone."""
        ...

    async def begin(self, job_id: str, file_id: str) -> Mapping[int, PageCorrection]:
        """The corrections by page, for the files that the reading `job_id` is about to write.

        A correction that comes later has these files written again.
        """
        ...

    async def finished(
        self, job_id: str, file_id: str, doubtful: Sequence[DoubtfulPage], counts: Mapping[str, EngineCount]
    ) -> None:
        """List the doubtful pages of a reading, in place of those of an earlier one, and count its pages, once a job."""
        ...

    async def reading_of(self, file_id: str) -> tuple[str, int] | None:
        """Id and pages of the newest completed reading of a document whose pages are still kept; None where there is none."""
        ...

    async def read_again(self, file_id: str, page: int, data: bytes, turned: int | None, run: Run) -> str:
        """Put a page's new reading (PageText as JSON) in place of its old one, and write the document's files again.

        `turned` is kept for later readings. Returns the id of the reading that was revised. Raises Permanent.
        """
        ...

    async def revise(self, job_id: str, run: Run) -> bool:
        """Write the files of a completed reading again, with all corrections. False where there was nothing to do."""
        ...


class NoCorrections:
    """For a run that offers none, as in tests of a task on its own."""

    async def turned(self, file_id: str) -> Mapping[int, int]:
        """None are."""
        return {}

    async def begin(self, job_id: str, file_id: str) -> Mapping[int, PageCorrection]:
        """There are none."""
        return {}

    async def finished(self, *of: Any) -> None:
        """Nothing is listed."""


def corrections_of(run: Run) -> Corrections | NoCorrections:
    """The corrections that a run offers."""
    try:
        return run.use(Corrections)
    except KeyError:
        return NoCorrections()
