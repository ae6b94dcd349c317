"""Pages a minute, recall, precision and memory of each OCR engine, beside stock EasyOCR and tesseract, on the same pages.

Run: `python -m bench.ocr [--pages 8] [--stock-pages 2]`. Each reads with two processes of one thread; stock EasyOCR at
its defaults. The networks are calibrated first, if they are not yet, on pages of which none is scored here. Recall and
precision are of words as a bag, case counting. A peer that is not installed is left out (Debian: tesseract-ocr).
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from service.pool import CpuPool
from tasks.ocr.document import open_pdf
from tasks.ocr.networks.quantize import SEEDS
from tasks.ocr.page import Reading, read_page
from tasks.ocr.render import render_pdf_page
from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, HEAVY, MILD, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter
from tasks.ocr.weights import weights_folder
from tasks.ocr.words import decode
from tests.ocr.score import precision, recall

WORKERS = 2
DPI = 200
FIRST_SEED = 20_000
MODELS = Path("bench/out/models")
STYLES = (Style("Times-Roman", 11), Style("Helvetica", 10), Style("Times-Roman", 10), Style("Helvetica", 11))
WEAR = {"clean": CLEAN, "mild": MILD, "heavy": HEAVY}
MB = 1 << 20


@dataclass(frozen=True)
class Page:
    """One scanned page of its own file, and its truth."""

    path: Path
    truth: str


@dataclass(frozen=True)
class Result:
    """`first_s` is when the first page was there; `peak_bytes` the largest process's peak."""

    pages_per_minute: float
    first_s: float
    peak_bytes: int
    recall: float
    precision: float


def make_pages(folder: Path, count: int) -> dict[str, list[Page]]:
    """The same text in each wear, and with its text layer left in."""
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    if set(seeds) & set(SEEDS):
        raise SystemExit("A page would be scored that the networks were calibrated on.")
    made: dict[str, list[Page]] = {name: [] for name in (*WEAR, "text layer")}
    for seed in seeds:
        setter = Typesetter()
        style = STYLES[seed % len(STYLES)]
        truth = setter.page([Run(paragraphs(seed, 470), style, columns=1 + seed % 2)])
        pdf = setter.save()
        for name, wear in WEAR.items():
            made[name].append(Page(folder / f"{name}-{seed}.pdf", truth))
            made[name][-1].path.write_bytes(as_pdf(pictures(pdf, DPI, wear, seed), DPI, wear.quality))
        made["text layer"].append(Page(folder / f"text-{seed}.pdf", truth))
        made["text layer"][-1].path.write_bytes(pdf)
    return made


def with_engine(path: Path, engine: str) -> str:
    """What the pdf-ocr job runs for each page."""
    return decode(read_page(path, 0, Reading(MODELS, engine))).text


def with_stock_easyocr(path: Path, engine: str) -> str:
    """EasyOCR as its README shows it, loaded once a process."""
    import easyocr
    import torch

    torch.set_num_threads(1)
    if not hasattr(with_stock_easyocr, "reader"):
        folder = str(weights_folder(MODELS))
        reader = easyocr.Reader(
            ["en"], gpu=False, model_storage_directory=folder, download_enabled=False, verbose=False
        )
        with_stock_easyocr.reader = reader  # type: ignore[attr-defined]  # kept for the next page
    return " ".join(text for _, text, _ in with_stock_easyocr.reader.readtext(_picture(path)))  # type: ignore[attr-defined]  # as above


def with_tesseract(path: Path, engine: str) -> str:
    """The command, on one thread, given the page as it is rendered for the others."""
    from PIL import Image

    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(_picture(path)).save(file.name, dpi=(300, 300))
        command = ["tesseract", file.name, "-"]
        return subprocess.run(command, capture_output=True, text=True, check=True, env={"OMP_THREAD_LIMIT": "1"}).stdout


def _picture(path: Path) -> np.ndarray:
    with open_pdf(path) as pdf:
        return render_pdf_page(pdf[0])[0]


async def measure(read: Callable[[Path, str], str], engine: str, pages: Sequence[Page]) -> Result:
    """All pages through two children that have each read one already."""
    pool = CpuPool(WORKERS, name="bench")
    await asyncio.gather(*(pool.run(read, pages[0].path, engine) for _ in range(WORKERS)))
    started = time.perf_counter()
    first_s = 0.0

    async def one(page: Page) -> str:
        nonlocal first_s
        text = await pool.run(read, page.path, engine)
        first_s = first_s or time.perf_counter() - started
        return text

    texts = await asyncio.gather(*(one(page) for page in pages))
    seconds = time.perf_counter() - started
    peak = max(_highest_rss(pid) for pid in pool.pids())
    await pool.close()
    return Result(
        pages_per_minute=60 * len(pages) / seconds,
        first_s=first_s,
        peak_bytes=peak,
        recall=mean(recall(text, page.truth) for text, page in zip(texts, pages, strict=True)),
        precision=mean(precision(text, page.truth) for text, page in zip(texts, pages, strict=True)),
    )


def _highest_rss(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return psutil.Process(pid).memory_info().rss
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


async def main(count: int, stock_count: int) -> None:
    table = Table("", "pages", "pages/min", "first s", "peak MB", "R", "P", title="OCR, two processes of one thread")
    with tempfile.TemporaryDirectory(prefix="bench-ocr-") as folder:
        made = make_pages(Path(folder), count)
        runs: list[tuple[str, Callable[[Path, str], str], str, int]] = [
            (engine, with_engine, engine, count) for engine in ("easyocr", "rapidocr", "auto")
        ]
        runs.append(("stock EasyOCR", with_stock_easyocr, "", stock_count))
        if shutil.which("tesseract"):
            runs.append(("tesseract", with_tesseract, "", count))
        for name, read, engine, pages in runs:
            for wear in WEAR:
                _row(table, f"{name}, {wear}", pages, await measure(read, engine, made[wear][:pages]))
        _row(table, "text layer", count, await measure(with_engine, "easyocr", made["text layer"]))
    Console().print(table)


def _row(table: Table, name: str, pages: int, result: Result) -> None:
    print(f"{name}: {result}", file=sys.stderr)
    table.add_row(
        name,
        str(pages),
        f"{result.pages_per_minute:,.1f}",
        f"{result.first_s:.1f}",
        f"{result.peak_bytes // MB:,}",
        f"{result.recall:.3f}",
        f"{result.precision:.3f}",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--stock-pages", type=int, default=2)
    arguments = parser.parse_args()
    MODELS.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "tasks.ocr.networks.prepare", str(MODELS)], check=True, capture_output=True)
    asyncio.run(main(arguments.pages, arguments.stock_pages))
