"""Readers other than the product: our engines without queue and server, stock EasyOCR, tesseract, OCRmyPDF."""

import asyncio
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.reading.documents import Document
from bench.reading.result import PageRead, PeakMemory, Result, Stopwatch, result
from bench.reading.stages import clock
from service.engine.pool.cpu_pool import CpuPool
from tasks.ocr.document import is_pdf, open_pdf
from tasks.ocr.page import Reading, read_page
from tasks.ocr.render import DPI, render_image_frame, render_part
from tasks.ocr.torch_warnings import silenced
from tasks.ocr.weights import weights_folder
from tasks.ocr.words import decode

Read = Callable[[Path, int, str, Path], PageRead]
"""(file, index of the page from 0, engine, folder of networks) to the page as read; runs in a child."""

ONE_THREAD = os.environ | {"OMP_THREAD_LIMIT": "1"}
OCRMYPDF = ("--jobs", "2", "--output-type", "pdf", "--rotate-pages", "--quiet")
"""Two pages at once, no conversion to PDF/A, which Offload does not make by default either."""


def engines() -> tuple[str, ...]:
    """Our engines that are installed."""
    return ("rapidocr", "auto", "easyocr") if find_spec("easyocr") else ("rapidocr", "auto")


def missing() -> dict[str, str]:
    """Readers that are not installed here, and the way to have each."""
    wanted = {
        "tesseract": (shutil.which("tesseract"), "apt-get install tesseract-ocr"),
        "OCRmyPDF": (ocrmypdf(), "make bench installs it, or pip install ocrmypdf"),
        "easyocr": (find_spec("easyocr"), "pip install 'offload[easyocr]'"),
    }
    return {name: way for name, (found, way) in wanted.items() if not found}


def with_engine(path: Path, index: int, engine: str, models: Path) -> PageRead:
    """What the pdf-ocr job runs for each page."""
    stages = clock()
    stages.take()
    page = decode(read_page(path, index, Reading(models, engine)))
    seconds = stages.take()
    return PageRead(page.text, sum(seconds.values()), page.confidence, page.doubtful, seconds)


@silenced()
def with_stock_easyocr(path: Path, index: int, engine: str, models: Path) -> PageRead:
    """EasyOCR as its README shows it, with as many threads as torch takes."""
    begun = _cpu_s()
    text = " ".join(text for _, text, _ in _stock_reader(models).readtext(picture(path, index)))
    return PageRead(text, _cpu_s() - begun)


@cache
def _stock_reader(models: Path) -> Any:
    import easyocr

    folder = str(weights_folder(models))
    return easyocr.Reader(["en"], gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False)


def with_tesseract(path: Path, index: int, engine: str, models: Path) -> PageRead:
    """The command, on one thread: a picture as it is, a page of a PDF as it is rendered for the others.

    It looks which way up the page lies (--psm 1), and reads without where it finds too little to tell.
    """
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        if is_pdf(path):
            _save(picture(path, index), file.name)
            path = Path(file.name)
        begun = _cpu_s()
        command = ["tesseract", str(path), "-"]
        text = _output([*command, "--psm", "1"]) or _output(command)
        return PageRead(text, _cpu_s() - begun)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, env=ONE_THREAD).stdout


def _save(grey: np.ndarray, name: str) -> None:
    from PIL import Image

    Image.fromarray(grey).save(name, dpi=(DPI, DPI), compress_level=1)


def _cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def picture(path: Path, index: int) -> np.ndarray:
    """The page in grey, a PDF's at 300 dpi."""
    if not is_pdf(path):
        return render_image_frame(path, index)[0]
    with open_pdf(path) as pdf:
        return render_part(pdf[index], DPI / 72).picture


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
    """The document's first `pages` pages through children of one thread that have each read `warm` already."""
    sheets = document.sheets[:pages]
    pool = CpuPool(children, name="bench")
    try:
        with PeakMemory() as memory:
            await asyncio.gather(*(pool.run(read, warm.path, 0, engine, models) for _ in range(children)))
            watch = Stopwatch()

            async def one(path: Path, index: int) -> PageRead:
                page = await pool.run(read, path, index, engine, models)
                watch.page()
                return page

            got = await asyncio.gather(*(one(*sheet) for sheet in sheets))
            seconds = watch.seconds()
    finally:
        await pool.close()
    cpu_s = sum(page.cpu_s for page in got) / len(got)
    return result(name, document, got, seconds, watch.first_s, memory.largest_mb(), cpu_s)


def with_ocrmypdf(document: Document, command: str) -> Result:
    """The whole document at once; its first page is there when all are."""
    with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
        text, made = Path(folder) / "text.txt", Path(folder) / "made.pdf"
        watch, begun = Stopwatch(), _cpu_s()
        subprocess.run([command, *OCRMYPDF, "--sidecar", text, document.path, made], check=True, env=ONE_THREAD)
        watch.page()
        seconds, cpu_s = watch.seconds(), (_cpu_s() - begun) / document.pages
        texts = text.read_text().split("\f")[: document.pages]
        read = [PageRead(text) for text in texts]
        return result("OCRmyPDF", document, read, seconds, watch.first_s, memory.largest_mb(), cpu_s)


def ocrmypdf() -> str | None:
    """The command: of the peers' environment, or of the system."""
    own = Path(os.environ.get("BENCH_PYTHON", ".venv-peers/bin/python")).with_name("ocrmypdf")
    return str(own) if own.exists() else shutil.which("ocrmypdf")
