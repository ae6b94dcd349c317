"""The finished files of an OCR job, written page by page, so that memory stays the same whatever the length."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from tasks.exports.csv_injection import for_csv
from tasks.ocr.hocr import HEAD, TAIL, hocr_page
from tasks.ocr.pages import FailedPage, checkpoint_name
from tasks.ocr.searchable import Output, WrittenPdf, write_searchable
from tasks.ocr.splitting import Document, Split, barcodes, documents, write_documents
from tasks.ocr.tables import tables
from tasks.ocr.text import PAGE_BREAK
from tasks.ocr.words import PageText, decode
from tasks.sdk import Run
from tasks.sdk.errors import is_infrastructure_error

SEARCHABLE_TIMEOUT_S = 240.0
"""5,000 pages take two minutes: mostly reading the words, page by page."""


async def stored_pages(run: Run, total: int) -> AsyncIterator[tuple[int, bytes | None]]:
    """Every page's number (from 1) and its `PageText` as JSON; None where it was not read."""
    for page in range(1, total + 1):
        yield page, await run.recall(checkpoint_name(page))


async def text_file(run: Run, total: int) -> AsyncIterator[bytes]:
    """text.txt: UTF-8, a form feed after each page. A page that failed leaves its place empty."""
    async for _, data in stored_pages(run, total):
        text = decode(data).text if data else ""
        yield f"{text}\n{PAGE_BREAK}".encode()


async def pages_file(run: Run, total: int, failed: Sequence[FailedPage]) -> AsyncIterator[bytes]:
    """pages.json: {"unit": "pt", "total_pages", "pages": [PageText…], "failed_pages": [{"page", "reason"}…]}."""
    yield b'{"unit":"pt","total_pages":%d,"pages":[' % total
    first = True
    async for _, data in stored_pages(run, total):
        if data:
            yield data if first else b",\n" + data
            first = False
    yield b'],"failed_pages":' + msgspec.json.encode(failed) + b"}"


async def hocr_file(run: Run, total: int) -> AsyncIterator[bytes]:
    """hocr.html: every page that was read, with its words and their boxes."""
    yield HEAD.encode()
    async for _, data in stored_pages(run, total):
        if data:
            yield hocr_page(decode(data)).encode()
    yield TAIL.encode()


async def searchable_file(run: Run, document: Path, total: int, output: Output) -> tuple[Path, WrittenPdf] | None:
    """searchable.pdf in the scratch folder; None where the original cannot be written again."""
    pages = run.scratch / "pages"
    pages.mkdir(exist_ok=True)
    files: list[Path] = []
    async for page, data in stored_pages(run, total):
        files.append(pages / f"{page}.json")
        if data:
            files[-1].write_bytes(data)
    target = run.scratch / "searchable.pdf"
    try:
        written = await run.cpu(write_searchable, document, files, target, output, timeout_s=SEARCHABLE_TIMEOUT_S)
    except Exception as error:
        if is_infrastructure_error(error):
            raise
        # The text is read and stands; a file that PDFium reads and qpdf does not must not take it away again.
        run.log("no searchable.pdf", reason=f"{type(error).__name__}: {error}")
        return None
    return target, written


async def split_files(
    run: Run, document: Path, whole: Path, pages: list[int], split: Split, pdfa: bool
) -> list[Document]:
    """The documents of a batch as artefacts document-001.pdf…, and documents.json, which tells where each comes from."""
    found = await run.cpu(barcodes, document, timeout_s=SEARCHABLE_TIMEOUT_S)
    wanted = documents(found, split)
    folder = run.scratch / "documents"
    folder.mkdir(exist_ok=True)
    names = await run.cpu(write_documents, whole, pages, wanted, folder, pdfa, timeout_s=SEARCHABLE_TIMEOUT_S)
    written = [one for one in wanted if one.name in names]
    for one in written:
        await run.artefact(one.name, folder / one.name, "application/pdf")
    await run.artefact("documents.json", msgspec.json.encode({"documents": written}), "application/json")
    return written


async def tables_file(run: Run, total: int) -> tuple[bytes, int]:
    """tables.csv and how many tables it has: a line for each row, which begins with its page, table and row from 1."""
    file = io.StringIO()
    writer = csv.writer(file)
    count = 0
    async for number, data in stored_pages(run, total):
        for table in tables(decode(data)) if data else ():
            count += 1
            writer.writerows([number, count, row, *map(for_csv, cells)] for row, cells in enumerate(table, 1))
    return file.getvalue().encode(), count


class Tally(msgspec.Struct):
    """Counts of what was read, for the job's result."""

    words: int = 0
    ocr_pages: int = 0
    text_layer_pages: int = 0
    blank_pages: int = 0
    documents: int | None = None
    tables: int | None = None
    notes: list[str] = msgspec.field(default_factory=list)
    gained_text: bool = False
    """True once any page has words that its file did not carry."""
    doubtful_pages: list[int] = msgspec.field(default_factory=list)

    def add(self, page: PageText) -> None:
        """Count one page."""
        self.words += len(page.words)
        self.ocr_pages += page.source == "ocr"
        self.text_layer_pages += page.source == "text-layer"
        self.blank_pages += page.source == "blank"
        if page.doubtful:
            self.doubtful_pages.append(page.page)
        self.gained_text = self.gained_text or (page.source == "ocr" and bool(page.words))
