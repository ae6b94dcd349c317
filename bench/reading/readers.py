"""Whoever reads besides the product: our engines without queue and server, stock EasyOCR, tesseract, OCRmyPDF."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.reading.documents import Document
from bench.reading.result import PeakMemory, Result, Stopwatch, result
from service.engine.pool.cpu_pool import CpuPool
from tasks.ocr.document import is_pdf, open_pdf
from tasks.ocr.page import Reading, read_page
from tasks.ocr.render import DPI, render_image_frame, render_pdf_page
from tasks.ocr.torch_warnings import silenced
from tasks.ocr.weights import weights_folder
from tasks.ocr.words import decode

Read = Callable[[Path, int, str, Path], str]
"""(document, index of the page from 0, engine, folder of networks) to text; runs in a child."""

ONE_THREAD = os.environ | {"OMP_THREAD_LIMIT": "1"}
OCRMYPDF = ("--jobs", "2", "--output-type", "pdf", "--quiet")
"""Two pages at once, no conversion to PDF/A, which Offload does not make either."""


def with_engine(path: Path, index: int, engine: str, models: Path) -> str:
    """What the pdf-ocr job runs for each page."""
    return decode(read_page(path, index, Reading(models, engine))).text


@silenced()
def with_stock_easyocr(path: Path, index: int, engine: str, models: Path) -> str:
    """EasyOCR as its README shows it, with as many threads as torch takes."""
    return " ".join(text for _, text, _ in _stock_reader(models).readtext(picture(path, index)))


@cache
def _stock_reader(models: Path) -> Any:
    import easyocr

    folder = str(weights_folder(models))
    return easyocr.Reader(["en"], gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False)


def with_tesseract(path: Path, index: int, engine: str, models: Path) -> str:
    """The command, on one thread, given the page as it is rendered for the others."""
    from PIL import Image

    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(picture(path, index)).save(file.name, dpi=(DPI, DPI))
        command = ["tesseract", file.name, "-"]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=ONE_THREAD).stdout


def picture(path: Path, index: int) -> np.ndarray:
    """The page in grey, at the resolution at which Offload reads it."""
    if not is_pdf(path):
        return render_image_frame(path, index)[0]
    with open_pdf(path) as pdf:
        return render_pdf_page(pdf[index])[0]


async def in_pool(
    name: str,
    read: Read,
    document: Document,
    pages: int,
    warm: Document,
    models: Path,
    *,
    engine: str = "",
    children: int = 2,
) -> Result:
    """The document's first `pages` pages through children that have each read `warm` already."""
    pages = min(pages, document.pages)
    pool = CpuPool(children, name="bench")
    try:
        with PeakMemory() as memory:
            await asyncio.gather(*(pool.run(read, warm.path, 0, engine, models) for _ in range(children)))
            watch = Stopwatch()

            async def one(index: int) -> str:
                text = await pool.run(read, document.path, index, engine, models)
                watch.page()
                return text

            texts = await asyncio.gather(*(one(index) for index in range(pages)))
            seconds = watch.seconds()
    finally:
        await pool.close()
    return result(name, document, texts, seconds, watch.first_s, memory.largest_mb())


def with_ocrmypdf(document: Document, command: str) -> Result:
    """The whole document at once; its first page is there when all are."""
    with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
        text, made = Path(folder) / "text.txt", Path(folder) / "made.pdf"
        watch = Stopwatch()
        subprocess.run([command, *OCRMYPDF, "--sidecar", text, document.path, made], check=True, env=ONE_THREAD)
        watch.page()
        texts = text.read_text().split("\f")[: document.pages]
        return result("OCRmyPDF", document, texts, watch.seconds(), watch.first_s, memory.largest_mb())


def ocrmypdf() -> str | None:
    """The command: of the peers' environment, or of the system."""
    beside = Path(os.environ.get("BENCH_PYTHON", ".venv-peers/bin/python")).with_name("ocrmypdf")
    return str(beside) if beside.exists() else shutil.which("ocrmypdf")
