"""The files of a reading and its result, from its pages: when it has read them, and again when a person has corrected one."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.ocr.artefacts import (
    Tally,
    hocr_file,
    pages_file,
    searchable_file,
    split_files,
    stored_pages,
    tables_file,
    text_file,
)
from tasks.ocr.pages import FailedPage
from tasks.ocr.results import LISTED, PdfText
from tasks.ocr.searchable import Output
from tasks.ocr.words import decode
from tasks.ports.corrections import DoubtfulPage, EngineCount
from tasks.ports.files import Files

if TYPE_CHECKING:
    from tasks.pdf_ocr import PdfOcr


class Finished(NamedTuple):
    """The result, the doubtful pages and the counts of pages by engine."""

    result: PdfText
    doubtful: list[DoubtfulPage]
    counts: dict[str, EngineCount]


async def write_artefacts(payload: "PdfOcr", run: Any, total: int, failed: Sequence[FailedPage]) -> Finished:
    """Write the files of a reading from the pages that `run` keeps."""
    tally = Tally()
    doubtful: list[DoubtfulPage] = []
    pages, doubts = Counter[str](), Counter[str]()
    async for _, data in stored_pages(run, total):
        if data:
            page = decode(data)
            tally.add(page)
            engine = page.engine or ""
            pages[engine] += 1
            if page.doubtful:
                doubts[engine] += 1
                doubtful.append(DoubtfulPage(page.page, engine, page.doubt or "", page.confidence))
    await run.artefact("text.txt", text_file(run, total), "text/plain; charset=utf-8")
    await run.stage(95, "Text assembled", pages_processed=total, total_pages=total, doubtful_pages=tally.doubtful_pages)
    await run.artefact("pages.json", pages_file(run, total, failed), "application/json")
    if payload.hocr:
        await run.artefact("hocr.html", hocr_file(run, total), "text/html; charset=utf-8")
    if payload.tables:
        data, tally.tables = await tables_file(run, total)
        await run.artefact("tables.csv", data, "text/csv; charset=utf-8")
    if tally.gained_text or payload.output != Output() or payload.split != "none":
        await _write_pdfs(payload, run, total, tally)
    listed = set(tally.doubtful_pages)
    counts = {engine: EngineCount(count, doubts[engine], 0) for engine, count in pages.items()}
    if failed:
        own = payload.engine or ""
        counts[own] = counts.get(own, EngineCount(0, 0, 0))._replace(failed=len(failed))
    return Finished(_result(tally, total, failed), [one for one in doubtful if one.page in listed], counts)


def _result(tally: Tally, total: int, failed: Sequence[FailedPage]) -> PdfText:
    return PdfText(
        total,
        tally.words,
        tally.ocr_pages,
        tally.text_layer_pages,
        tally.blank_pages,
        len(failed),
        list(failed[:LISTED]),
        tally.doubtful_pages,
        tally.documents,
        tally.tables,
        tally.notes,
    )


async def _write_pdfs(payload: "PdfOcr", run: Any, total: int, tally: Tally) -> None:
    document = await run.use(Files).local(payload.file_id, run.scratch)
    made = await searchable_file(run, document, total, payload.output)
    if made is None:
        tally.notes.append("The document could not be written again: there is no searchable.pdf.")
        return
    searchable, written = made
    await run.artefact("searchable.pdf", searchable, "application/pdf")
    if written.refusal:
        tally.notes.append(written.refusal)
    if payload.split != "none":
        split = await split_files(run, document, searchable, written.pages, payload.split, payload.pdfa)
        tally.documents = len(split)
        # A separator sheet belongs to no document, and none of its text is missed.
        chosen = {page for one in split for page in one.pages}
        tally.doubtful_pages = [page for page in tally.doubtful_pages if page in chosen]
        await run.stage(97, "Documents written", doubtful_pages=tally.doubtful_pages)
