"""The finished files of an OCR job, written page by page, so that memory stays the same whatever the length."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from tasks.ocr.pages import FailedPage, kept_name
from tasks.ocr.text import PAGE_BREAK
from tasks.ocr.words import PageText, decode
from tasks.run import Run


async def kept_pages(run: Run, total: int) -> AsyncIterator[tuple[int, bytes | None]]:
    """Every page's number (from 1) and its `PageText` as JSON; None where it was not read."""
    for page in range(1, total + 1):
        yield page, await run.recall(kept_name(page))


async def text_file(run: Run, total: int) -> AsyncIterator[bytes]:
    """text.txt: UTF-8, a form feed after each page. A page that failed leaves its place empty."""
    async for _, data in kept_pages(run, total):
        text = decode(data).text if data else ""
        yield f"{text}\n{PAGE_BREAK}".encode()


async def pages_file(run: Run, total: int, failed: Sequence[FailedPage]) -> AsyncIterator[bytes]:
    """pages.json: {"unit": "pt", "total_pages", "pages": [PageText…], "failed_pages": [{"page", "reason"}…]}."""
    yield b'{"unit":"pt","total_pages":%d,"pages":[' % total
    first = True
    async for _, data in kept_pages(run, total):
        if data:
            yield data if first else b",\n" + data
            first = False
    yield b'],"failed_pages":' + msgspec.json.encode(failed) + b"}"


class Tally(msgspec.Struct):
    """What was read, counted for the job's result."""

    words: int = 0
    ocr_pages: int = 0
    text_layer_pages: int = 0
    blank_pages: int = 0

    def add(self, page: PageText) -> None:
        """Count one page."""
        self.words += len(page.words)
        self.ocr_pages += page.source == "ocr"
        self.text_layer_pages += page.source == "text-layer"
        self.blank_pages += page.source == "blank"
