"""Another reading of one page of a document, in place of the one in its newest reading."""

from typing import Annotated, Any, Literal

import msgspec

from settings import Queue, load_settings
from settings.amounts import counted
from tasks.ocr.languages import refusal
from tasks.ocr.page import Reading
from tasks.ocr.pages import checkpoint_name, read_pages
from tasks.ocr.pdf_page import TextLayerUse
from tasks.ocr.words import decode
from tasks.pdf_ocr import FIRST_USE_S
from tasks.ports.corrections import Corrections
from tasks.ports.files import Files
from tasks.sdk import Payload, Permanent, Refused, Run, job


class PdfOcrPage(Payload, frozen=True, kw_only=True):
    """The page, and how it is to be read."""

    file_id: str
    page: Annotated[int, msgspec.Meta(ge=1)]
    """Counted from 1."""
    rotation: Literal[0, 90, 180, 270] | None = None
    """Degrees clockwise that bring the picture upright. They are kept for later readings; by default the engine finds out."""
    engine: Literal["easyocr", "rapidocr", "auto"] | None = None
    languages: list[str] = msgspec.field(default_factory=lambda: ["en"])
    text_layer: TextLayerUse = "auto"


class PageRead(msgspec.Struct):
    """Result of another reading of a page. `reading` is the job whose files were written again."""

    page: int
    words: int
    confidence: float
    rotation: int
    reading: str
    doubt: str | None = None

    @property
    def summary(self) -> str:
        """The message of the completed job."""
        return f"Page {self.page} read again: {counted(self.words, 'word')}, {self.confidence:.0%} sure"


async def _accepts(payload: PdfOcrPage, checks: Any) -> int:
    """The document must be the sender's, with a completed reading that has the page, and the languages installed."""
    settings = load_settings()
    reason = refusal(payload.languages, settings.data_dir, payload.engine or settings.ocr_engine)
    if reason:
        raise Refused(reason, field="languages")
    document = await checks.file(payload.file_id)
    reading = await checks.use(Corrections).reading_of(payload.file_id)
    if reading is None:
        raise Refused(
            f"{document.name} has no completed reading: queue pdf-ocr for it first.", field="file_id", status_code=409
        )
    if payload.page > reading[1]:
        raise Refused(
            f"{document.name} has no page {payload.page}: it has {reading[1]:,}.", field="page", status_code=404
        )
    return 1


@job(
    queue=Queue.PDF_PROCESSING,
    search_keys=("file_id",),
    expected_s=5.0,
    first_use_s=FIRST_USE_S,
    unit="page",
    accepts=_accepts,
)
async def pdf_ocr_page(payload: PdfOcrPage, run: Run) -> PageRead:
    """Read one page of a document again, and write the files of its newest reading with it."""
    settings = load_settings()
    corrections = run.use(Corrections)
    turned: int | None = payload.rotation
    if turned is None:
        turned = (await corrections.turned(payload.file_id)).get(payload.page)
    await run.stage(10, f"Reading page {payload.page}", pages_processed=0, total_pages=1)
    path = await run.use(Files).local(payload.file_id, run.scratch)
    reading = Reading(
        settings.data_dir / "models",
        payload.engine or settings.ocr_engine,
        tuple(payload.languages),
        payload.text_layer,
        turned=() if turned is None else ((payload.page, turned),),
    )

    async def done(count: int) -> None:
        await run.stage(70, f"Page {payload.page} is read", pages_processed=count, total_pages=1)

    failed = await read_pages(run, path, [payload.page], reading, done)
    data = await run.recall(checkpoint_name(payload.page))
    if data is None:
        reason = failed[0].reason if failed else "it was not read"
        raise Permanent(reason) if failed and failed[0].final else RuntimeError(reason)
    await run.stage(80, "Writing the document's files")
    revised = await corrections.read_again(payload.file_id, payload.page, data, payload.rotation, run)
    page = decode(data)
    return PageRead(page.page, len(page.words), page.confidence, page.rotation, revised, page.doubt)
