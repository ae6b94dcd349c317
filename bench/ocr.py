"""Pages a minute, recall, precision, seconds to the first page and memory of OCR, everybody on the same pages in one run.

Run: `python -m bench.ocr [--samples FOLDER] [--only NAME,NAME]`; the options set how many pages. Offload is measured end to
end (upload over HTTP to the last artefact, in a running installation whose children have each read a page before), and its
engines by themselves in two processes of one thread. Beside it, on the same pictures: stock EasyOCR as its README shows it,
on all cores; tesseract in two processes; OCRmyPDF with two jobs. A peer that is not installed is left out and named.
`--samples`, or BENCH_SAMPLES, names a folder of real scans; NAME.txt is the transcript of NAME.pdf.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.reading import product
from bench.reading.aims import aims
from bench.reading.documents import WEAR, Document, mixed, real, scanned, slip, with_text
from bench.reading.readers import in_pool, ocrmypdf, with_engine, with_ocrmypdf, with_stock_easyocr, with_tesseract
from bench.reading.result import Result

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out"
MODELS = OUT / "models"
ENGINES = ("easyocr", "rapidocr", "auto")
READERS = ("product", "engines", "stock", "tesseract", "ocrmypdf")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clean", type=int, default=30, help="pages of the clean scan, end to end (default 30)")
    parser.add_argument("--pages", type=int, default=8, help="pages of every other scan and reader (default 8)")
    parser.add_argument("--stock", type=int, default=2, help="pages stock EasyOCR reads of each scan (default 2)")
    parser.add_argument("--mix", type=int, default=200, help="pages of the mixed document (default 200)")
    parser.add_argument("--text", type=int, default=300, help="pages of the one that has its text (default 300)")
    parser.add_argument("--only", default=",".join(READERS), help=f"of {', '.join(READERS)}")
    parser.add_argument("--samples", type=Path, default=os.environ.get("BENCH_SAMPLES"), help="real scans")
    return parser.parse_args()


def end_to_end(
    folder: Path, given: argparse.Namespace, scans: dict[str, Document], samples: list[Document]
) -> Iterator[Result]:
    """The product: every document as a job of its own."""
    with product.running(folder / "data", MODELS) as offload:
        warm = scanned(folder, "clean", 4)
        for engine in ENGINES:
            offload.read(warm, engine)
        long = scanned(folder, "clean", given.clean)
        yield offload.read(long, "easyocr")
        for wear in ("mild", "heavy"):
            yield offload.read(scans[wear], "easyocr")
        for document in samples:
            yield offload.read(document, "easyocr")
        yield offload.read(scans["heavy"], "auto")
        yield offload.read(mixed(folder, given.mix), "easyocr")
        yield offload.read(with_text(folder, given.text), "easyocr")


def engines(given: argparse.Namespace, documents: list[Document], warm: Document) -> Iterator[Result]:
    """Ours without queue and server."""
    for engine in ENGINES:
        for document in documents:
            yield asyncio.run(in_pool(engine, with_engine, document, given.pages, warm, MODELS, engine=engine))


def peers(given: argparse.Namespace, documents: list[Document], warm: Document) -> Iterator[Result]:
    """Those that are wanted and installed."""
    wanted = given.only.split(",")
    if "stock" in wanted:
        for document in documents:
            yield asyncio.run(
                in_pool("stock EasyOCR", with_stock_easyocr, document, given.stock, warm, MODELS, children=1)
            )
    if "tesseract" in wanted and shutil.which("tesseract"):
        for document in documents:
            yield asyncio.run(in_pool("tesseract", with_tesseract, document, given.pages, warm, MODELS))
    command = ocrmypdf()
    if "ocrmypdf" in wanted and command:
        for document in documents:
            yield with_ocrmypdf(document, command)


def main() -> None:
    given = options()
    absent = [name for name, found in (("tesseract", shutil.which("tesseract")), ("OCRmyPDF", ocrmypdf())) if not found]
    if absent:
        print(f"not installed, and so not measured: {', '.join(absent)}")
    MODELS.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "tasks.ocr.networks.prepare", str(MODELS)], check=True, capture_output=True)
    load = os.getloadavg()[0]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="bench-ocr-") as name:
        folder = Path(name)
        scans = {wear: scanned(folder, wear, given.pages) for wear in WEAR}
        samples = real(Path(given.samples)) if given.samples else []
        # Everybody reads these; Offload alone reads the real scans without a transcript too.
        scored = [*scans.values(), *(sample for sample in samples if any(sample.truths))]
        begun_s = time.perf_counter()
        if "product" in given.only:
            results += told(end_to_end(folder, given, scans, samples))
        if "engines" in given.only:
            results += told(engines(given, scored, slip(folder)))
        results += told(peers(given, scored, slip(folder)))
    show(results, given, load, time.perf_counter() - begun_s)


def told(results: Iterator[Result]) -> Iterator[Result]:
    """Each is named as it comes: a run takes ten minutes."""
    for result in results:
        print(f"{result.reader}, {result.document}: {result.pages_per_minute:.1f} pages/min", file=sys.stderr)
        yield result


def show(results: list[Result], given: argparse.Namespace, load: float, seconds: float) -> None:
    """The table, the aims, and bench/out/ocr.json."""
    columns = ("", "document", "pages", "pages/min", "first s", "peak MB", "R", "P")
    table = Table(*columns, title=f"OCR on {os.cpu_count()} cores, load {load:.1f} before it, {seconds:.0f} s")
    for one in results:
        figures = f"{one.pages_per_minute:,.1f}", f"{one.first_s:.1f}", f"{one.peak_mb:,}"
        means = one.mean_scores()
        scores = [f"{mean:.3f}" for mean in means] if means else ["–", "–"]
        table.add_row(one.reader, one.document, str(one.pages), *figures, *scores)
    Console(width=120).print(table)
    met = aims(results)
    for line, as_aimed in met:
        print(("met      " if as_aimed else "missed   ") + line)
    named = {name: version(name) for name in ("easyocr", "rapidocr", "openvino", "torch")}
    body = {
        "results": [asdict(one) | {"recall_precision": one.mean_scores()} for one in results],
        "aims": [{"aim": line, "met": as_aimed} for line, as_aimed in met],
        "versions": named,
        "settings": {name: str(value) for name, value in vars(given).items() if name != "samples"},
        "load_before": load,
        "seconds": seconds,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    (OUT / "ocr.json").write_text(json.dumps(body, indent=1))


if __name__ == "__main__":
    main()
