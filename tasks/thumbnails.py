"""Thumbnails of documents, every size of one from a single decode. Many documents are spread in parts over the workers."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from settings.queues import Queue
from tasks.images.documents import DocumentDone, make_thumbnails
from tasks.images.variants import FORMATS, SIZE_MAX, SIZE_MIN, SIZES, Format, variants
from tasks.ports.files import Files
from tasks.ports.thumbnails import Thumbnails
from tasks.sdk import Meter, PartResult, Payload, Permanent, Run, job
from tasks.sdk.types import INCOMPLETE_TAGS, incomplete

DOCUMENTS_MAX = 10_000
"""Documents one job may name: 2,500 parts, and as many lines again in what it answers."""

PART_DOCUMENTS = 4
"""Documents of a part: some seconds of work, so that a lost part loses little, and in 60 s even if each one hangs."""

FOUND_BY = 50
"""Documents by which a job can be found; one of more would be as many entries in an index, written in one call."""

LISTED = 100
"""Failed documents listed in the result, which is kept in Redis and shown whole; all stand in thumbnails.json."""

METER = Meter("Thumbnails of document {done} of {total} ({percent}%)", "documents_done", "total_documents", high=98)

Size = Annotated[int, msgspec.Meta(ge=SIZE_MIN, le=SIZE_MAX)]
Sizes = Annotated[list[Size], msgspec.Meta(min_length=1, max_length=10)]
Formats = Annotated[list[Format], msgspec.Meta(min_length=1)]


class ThumbnailsOf(Payload, frozen=True, kw_only=True):
    """The documents, the longest sides in pixels, and the file formats."""

    document_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=DOCUMENTS_MAX)]
    sizes: Sizes = msgspec.field(default_factory=lambda: list(SIZES))
    formats: Formats = msgspec.field(default_factory=lambda: list(FORMATS))

    @property
    def file_id(self) -> list[str]:
        """Documents by which the job is found, where they are few."""
        return list(dict.fromkeys(self.document_ids)) if len(self.document_ids) <= FOUND_BY else []


class ThumbnailsPart(ThumbnailsOf, frozen=True, kw_only=True):
    """A part: a few of the documents."""


class FailedDocument(msgspec.Struct):
    """A document without thumbnails, and why."""

    document_id: str
    reason: str


class ThumbnailsMade(msgspec.Struct):
    """Result of a job, counted in documents."""

    documents: int
    made: int
    found: int
    failed: int
    failed_documents: list[FailedDocument]

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which the job is found."""
        return INCOMPLETE_TAGS if self.summary else ()

    @property
    def summary(self) -> str:
        """The message of a job that could not make all; empty otherwise."""
        count = f"{self.documents:,} document{'' if self.documents == 1 else 's'}"
        return incomplete(f"{self.failed:,} of {count} without thumbnails") if self.failed else ""


async def check_documents(payload: ThumbnailsOf, checks: Any) -> int:
    """Every document must be the owner's; the units of work are the documents."""
    await checks.files(payload.document_ids, field="document_ids")
    return len(set(payload.document_ids))


@job(
    queue=Queue.THUMBNAILS,
    search_keys=("file_id",),
    expected_s=0.3,
    expected_unit_s=0.3,
    unit="document",
    accepts=check_documents,
)
async def thumbnails(payload: ThumbnailsOf, run: Run) -> ThumbnailsMade:
    """Make the thumbnails of documents, in WebP and JPEG."""
    document_ids = list(dict.fromkeys(payload.document_ids))
    if len(document_ids) > PART_DOCUMENTS:
        outcomes = await in_parts(document_ids, payload.sizes, payload.formats, run)
    else:
        outcomes = await _make(document_ids, payload, run, at_once=PART_DOCUMENTS)
    result = counted(outcomes)
    if result.failed == result.documents:
        first = result.failed_documents[0].reason
        raise Permanent(first if result.documents == 1 else f"No document has a thumbnail; of the first: {first}")
    await run.artefact("thumbnails.json", msgspec.json.encode({"documents": outcomes}), "application/json")
    return result


@job(queue=Queue.THUMBNAILS, public=False, expected_s=0.3, expected_unit_s=0.3, unit="document")
async def thumbnails_part(payload: ThumbnailsPart, run: Run) -> list[DocumentDone]:
    """Make the thumbnails of a few documents."""
    # One after the other: the worker runs several parts at once.
    return await _make(payload.document_ids, payload, run, at_once=1)


async def _make(document_ids: Sequence[str], payload: ThumbnailsOf, run: Run, at_once: int) -> list[DocumentDone]:
    async def done(count: int) -> None:
        await run.progress(count, len(document_ids), METER)

    return await make_thumbnails(run, document_ids, variants(payload.sizes, payload.formats), at_once, done)


async def in_parts(
    document_ids: Sequence[str], sizes: Sequence[int], formats: Sequence[Format], run: Run
) -> list[DocumentDone]:
    """Result of each document, in order, each part having done PART_DOCUMENTS of them."""
    groups = [document_ids[at : at + PART_DOCUMENTS] for at in range(0, len(document_ids), PART_DOCUMENTS)]
    parts = [ThumbnailsPart(document_ids=list(group), sizes=list(sizes), formats=list(formats)) for group in groups]
    results = await run.parts(thumbnails_part, parts, METER, [len(group) for group in groups])
    outcomes: list[DocumentDone] = []
    for part, result in zip(parts, results, strict=True):
        if result.status == "completed":
            outcomes += msgspec.convert(result.result, list[DocumentDone])
        else:
            outcomes += await _of_lost_part(part, result, run)
    return outcomes


async def _of_lost_part(part: ThumbnailsPart, result: PartResult, run: Run) -> list[DocumentDone]:
    """A part may have ended badly with some of its documents done."""
    outcomes = []
    for document_id in part.document_ids:
        try:
            document = await run.use(Files).describe(document_id)
            lacking = await run.use(Thumbnails).lacking(document.sha256, variants(part.sizes, part.formats))
            reason = (result.error or "It was not reached.") if lacking else None
        except Permanent as error:
            reason = str(error)
        outcomes.append(DocumentDone(document_id, "failed" if reason else "made", reason))
    return outcomes


def counted(outcomes: Sequence[DocumentDone]) -> ThumbnailsMade:
    """The job's result."""
    failed = [FailedDocument(one.document_id, one.reason or "") for one in outcomes if one.status == "failed"]
    made, found = (sum(one.status == status for one in outcomes) for status in ("made", "found"))
    return ThumbnailsMade(len(outcomes), made, found, len(failed), failed[:LISTED])
