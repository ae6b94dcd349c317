"""OCR of a document: text.txt and pages.json from a PDF or an image. Long documents are read in parts of ten pages."""

from dataclasses import replace
from typing import Any, Literal

import msgspec

from settings import Queue, load_settings
from tasks.ocr.corrections import CorrectedRun
from tasks.ocr.document import count_pages
from tasks.ocr.finishing import write_artefacts
from tasks.ocr.languages import refusal
from tasks.ocr.page import Reading
from tasks.ocr.pages import FailedPage, PageFailure, checkpoint_name, prepare, read_pages
from tasks.ocr.pdf_page import TextLayerUse
from tasks.ocr.results import PdfText
from tasks.ocr.searchable import Output
from tasks.ocr.splitting import Split
from tasks.ports.corrections import corrections_of
from tasks.ports.files import Files
from tasks.sdk import Meter, PartResult, Payload, Permanent, Refused, Run, job

PART_PAGES = 10
"""Half a minute of work with 600 s to do it in; what a part that fails can cost at most."""

OPEN_TIMEOUT_S = 60.0
"""Opening counts pages; on the largest upload (200 MiB, no cross-reference table) that takes some seconds."""

METER = Meter("Processing page {done} of {total} ({percent}%)", "pages_processed", "total_pages", low=20, high=90)


class PdfOcr(Payload, frozen=True, kw_only=True):
    """The document to read, and optionally by which engine and in which languages (codes as EasyOCR's)."""

    file_id: str
    engine: Literal["easyocr", "rapidocr", "auto"] | None = None
    languages: list[str] = msgspec.field(default_factory=lambda: ["en"])
    text_layer: TextLayerUse = "auto"
    """Use of the text that a PDF carries: "auto" takes it where the page bears it out, "ignore" reads every page from its
    picture, "only" reads none."""
    hocr: bool = False
    """Write hocr.html as well."""
    pdfa: bool = False
    """Write searchable.pdf, and the documents of a batch, as PDF/A-2b, validated."""
    deskew_output: bool = False
    """Set pages upright and level in searchable.pdf. Boxes in pages.json stay those of the document as it was sent."""
    drop_blank_pages: bool = False
    """Leave blank pages out of searchable.pdf."""
    split: Split = "none"
    """Write the batch as documents of their own, too: "separators" divides at sheets with the barcode PATCHT, "barcodes"
    begins a document at each page with a barcode. documents.json has the pages of each."""
    tables: bool = False
    """Write tables.csv: the cells of tables whose columns are clear."""

    @property
    def output(self) -> Output:
        """Options of searchable.pdf."""
        return Output(self.pdfa, self.deskew_output, self.drop_blank_pages)


class PdfOcrPages(Payload, frozen=True, kw_only=True):
    """A part: pages `first` to `last` of a document, counted from 1."""

    file_id: str
    first: int
    last: int
    engine: str
    languages: list[str]
    text_layer: TextLayerUse = "auto"


class PartRead(msgspec.Struct):
    """Result of a part."""

    failed_pages: list[PageFailure]


FIRST_USE_S = 20.0
"""A worker's first document waits for its engine's networks to be loaded, and on a new machine to be prepared."""


async def _accepts(payload: PdfOcr, checks: Any) -> int:
    """The document must be the sender's and its languages installed. Returns its pages, the units of work."""
    settings = load_settings()
    reason = refusal(payload.languages, settings.data_dir, payload.engine or settings.ocr_engine)
    if reason:
        raise Refused(reason, field="languages")
    document = await checks.file(payload.file_id)
    if document.media_type.startswith("video/"):
        raise Refused(f"{document.name} is a video, which has no pages to read.", field="file_id", status_code=415)
    return document.pages or 1


@job(
    queue=Queue.PDF_PROCESSING,
    search_keys=("file_id",),
    expected_s=3.0,
    expected_unit_s=1.5,
    first_use_s=FIRST_USE_S,
    unit="page",
    accepts=_accepts,
)
async def pdf_ocr(payload: PdfOcr, run: Run) -> PdfText:
    """Read the text of a scanned PDF or an image."""
    engine = payload.engine or load_settings().ocr_engine
    total = await _page_count(payload.file_id, run)
    if total > PART_PAGES:
        await _prepare(payload, run, engine)
        failed = await _read_in_parts(payload, run, engine, total)
    else:
        failed = await _read_range(payload.file_id, run, range(1, total + 1), _reading(engine, payload))
    if len(failed) == total:
        raise _no_page(failed)
    listed = [FailedPage(failure.page, failure.reason) for failure in failed]
    corrections = await corrections_of(run).begin(run.job_id, payload.file_id)
    result, doubtful, counts = await write_artefacts(payload, CorrectedRun(run, corrections), total, listed)
    await corrections_of(run).finished(run.job_id, payload.file_id, doubtful, counts)
    return result


def _no_page(failed: list[PageFailure]) -> Exception:
    """The error of a job without a page: for good where no attempt could do better."""
    first = failed[0].reason
    if not all(failure.final for failure in failed):
        return RuntimeError(f"No page could be read; of the first: {first}")
    return Permanent(first if len(failed) == 1 else f"No page could be read; of the first: {first}")


@job(queue=Queue.PDF_PROCESSING, public=False, expected_s=1.0, expected_unit_s=1.5, unit="page")
async def pdf_ocr_pages(payload: PdfOcrPages, run: Run) -> PartRead:
    """Read some pages of a long document."""
    pages = range(payload.first, payload.last + 1)
    return PartRead(await _read_range(payload.file_id, run, pages, _reading(payload.engine, payload)))


async def _page_count(file_id: str, run: Run) -> int:
    counted = await run.recall("total_pages")
    if counted:
        return int(counted)
    path = await run.use(Files).local(file_id, run.scratch)
    total = await run.cpu(count_pages, path, timeout_s=OPEN_TIMEOUT_S)
    limit = load_settings().max_pages
    if total > limit:
        raise Permanent(f"The document has {total:,} pages; at most {limit:,} are read.")
    await run.keep("total_pages", str(total).encode())
    await run.stage(10, "The file is there", pages_processed=0, total_pages=total)
    return total


async def _prepare(payload: PdfOcr, run: Run, engine: str) -> None:
    """Convert the engine's networks before the parts begin, if they will want them: parts cannot say what holds them up."""
    path = await run.use(Files).local(payload.file_id, run.scratch)
    await prepare(run, path, range(PART_PAGES), _reading(engine, payload))


async def _read_range(file_id: str, run: Run, pages: range, reading: Reading) -> list[PageFailure]:
    path = await run.use(Files).local(file_id, run.scratch)
    turned = await corrections_of(run).turned(file_id)
    reading = replace(reading, turned=tuple(turned.items()))

    async def done(count: int) -> None:
        await run.progress(count, len(pages), METER)

    return await read_pages(run, path, pages, reading, done)


def _reading(engine: str, payload: PdfOcr | PdfOcrPages) -> Reading:
    models = load_settings().data_dir / "models"
    return Reading(models, engine, tuple(payload.languages), payload.text_layer)


async def _read_in_parts(payload: PdfOcr, run: Run, engine: str, total: int) -> list[PageFailure]:
    ranges = [(first, min(first + PART_PAGES - 1, total)) for first in range(1, total + 1, PART_PAGES)]
    parts = [
        PdfOcrPages(
            file_id=payload.file_id,
            first=first,
            last=last,
            engine=engine,
            languages=payload.languages,
            text_layer=payload.text_layer,
        )
        for first, last in ranges
    ]
    results = await run.parts(pdf_ocr_pages, parts, METER, [last - first + 1 for first, last in ranges])
    return await _failures(run, total, parts, results)


async def _failures(run: Run, total: int, parts: list[PdfOcrPages], results: list[PartResult]) -> list[PageFailure]:
    """Every page that is not kept, with the reason its part gave for it, or for having failed itself."""
    failures: dict[int, PageFailure] = {}
    for part, result in zip(parts, results, strict=True):
        for page in range(part.first, part.last + 1):
            failures[page] = PageFailure(page, result.error or "it was not read")
        if result.result:
            read = msgspec.convert(result.result, PartRead)
            failures.update((failure.page, failure) for failure in read.failed_pages)
    stored = set(await run.kept("pages/"))
    return [failures[page] for page in range(1, total + 1) if checkpoint_name(page) not in stored]
