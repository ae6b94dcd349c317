"""Recall, CPU time, pages a minute, memory and honesty of OCR, every reader on the same pages in one run.

Run: `python -m bench.ocr [--corpus FOLDER] [--only NAME,NAME]`; the options set how many pages. Offload is measured end to
end (upload over HTTP to the last artefact, in a running installation whose children have each read a page before), and its
engines alone in two processes of one thread. On the same pages: tesseract in two processes of one thread, OCRmyPDF with two
jobs, stock EasyOCR as its README shows it on all cores. A peer that is not installed is left out and named.

`--corpus`, or BENCH_CORPUS, names a folder of real pages: each folder in it is a kind, with the words of NAME.jpg in NAME.txt
(or its lines in NAME.csv, as the SROIE set of receipts has them).
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from bench.reading import product, readers, tables
from bench.reading.aims import DEFAULT, aims
from bench.reading.calibration import calibration
from bench.reading.documents import WEAR, Document, mixed, real, scanned, slip, with_text
from bench.reading.result import Result

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out"
MODELS = OUT / "models"
READERS = ("product", "engines", "tesseract", "ocrmypdf", "stock")
IN_ONE_FILE = tuple(WEAR)
"""Documents that OCRmyPDF, which takes a file and not pages, can be given."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clean", type=int, default=30, help="pages of the clean scan, end to end (default 30)")
    parser.add_argument("--pages", type=int, default=8, help="pages of every other document and reader (default 8)")
    parser.add_argument("--stock", type=int, default=1, help="pages stock EasyOCR reads of each scan (default 1)")
    parser.add_argument("--mix", type=int, default=200, help="pages of the mixed document (default 200)")
    parser.add_argument("--text", type=int, default=300, help="pages of the one that has its text (default 300)")
    parser.add_argument("--only", default=",".join(READERS), help=f"of {', '.join(READERS)}")
    parser.add_argument("--corpus", type=Path, default=os.environ.get("BENCH_CORPUS"), help="folder of real pages")
    return parser.parse_args()


def end_to_end(folder: Path, given: argparse.Namespace, scans: dict[str, Document]) -> Iterator[Result]:
    """The product: every document as a job of its own."""
    with product.running(folder / "data", MODELS) as offload:
        for engine in readers.engines():
            offload.read(scans["clean"], engine)
        yield offload.read(scanned(folder / "long", "clean", given.clean), DEFAULT)
        for wear in WEAR:
            if wear != "clean":
                yield offload.read(scans[wear], DEFAULT)
        if "easyocr" in readers.engines():
            yield offload.read(scans["heavy"], "easyocr")
        yield offload.read(mixed(folder, given.mix), DEFAULT)
        yield offload.read(with_text(folder, given.text), DEFAULT)


def alone(given: argparse.Namespace, documents: Sequence[Document], warm: Document) -> Iterator[Result]:
    """Readers without queue and server, document by document: what disturbs the machine meets all of them alike."""
    wanted, absent = given.only.split(","), readers.missing()
    command = readers.ocrmypdf()
    for document in documents:
        count = min(given.pages, document.pages)
        if "engines" in wanted:
            for engine in readers.engines():
                yield asyncio.run(
                    readers.in_pool(engine, readers.with_engine, document, count, warm, MODELS, engine=engine)
                )
        if "tesseract" in wanted and "tesseract" not in absent:
            yield asyncio.run(readers.in_pool("tesseract", readers.with_tesseract, document, count, warm, MODELS))
        if "ocrmypdf" in wanted and command and document.name in IN_ONE_FILE:
            yield readers.with_ocrmypdf(document, command)
        if "stock" in wanted and "easyocr" not in absent and document.name in IN_ONE_FILE:
            stock = readers.with_stock_easyocr
            yield asyncio.run(readers.in_pool("stock EasyOCR", stock, document, given.stock, warm, MODELS, children=1))


def main() -> None:
    given = options()
    for name, way in readers.missing().items():
        print(f"{name} is not installed, and so not measured ({way})")
    if not given.corpus:
        print("no real pages: name a folder of them with --corpus or BENCH_CORPUS")
    MODELS.mkdir(parents=True, exist_ok=True)
    if "easyocr" in readers.engines():
        prepare = [sys.executable, "-m", "tasks.ocr.networks.prepare", str(MODELS)]
        subprocess.run(prepare, check=True, capture_output=True)
    load = os.getloadavg()[0]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="bench-ocr-") as name:
        folder = Path(name)
        scans = {wear: scanned(folder, wear, given.pages) for wear in WEAR}
        pages = real(Path(given.corpus), given.pages) if given.corpus else []
        begun_s = time.perf_counter()
        results += reported(alone(given, [*scans.values(), *pages], slip(folder)))
        if "product" in given.only:
            (folder / "long").mkdir()
            results += reported(end_to_end(folder, given, scans))
    show(results, given, load, time.perf_counter() - begun_s)


def reported(results: Iterator[Result]) -> Iterator[Result]:
    """Each is named as it comes: a run takes a quarter of an hour."""
    for result in results:
        print(f"{result.reader}, {result.document}: {result.pages_per_minute:.1f} pages/min", file=sys.stderr)
        yield result


def show(results: list[Result], given: argparse.Namespace, load: float, seconds: float) -> None:
    """The tables, the aims, and bench/out/ocr.json."""
    title = f"OCR on {os.cpu_count()} cores, load {load:.1f} before it, {seconds:.0f} s"
    console = Console(width=120)
    for table in (tables.readers(results, title), tables.stages(results), tables.calibrated(results)):
        if table.row_count:
            console.print(table)
    met = aims(results)
    for line, as_aimed in met:
        print(("met      " if as_aimed else "missed   ") + line)
    packages = [name for name in ("rapidocr", "openvino", "easyocr", "torch") if find_spec(name)]
    body = {
        "results": [asdict(one) | {"recall_precision": one.mean_scores()} for one in results],
        "calibration": {engine: [asdict(bin) for bin in bins] for engine, bins in calibration(results).items()},
        "aims": [{"aim": line, "met": as_aimed} for line, as_aimed in met],
        "versions": {name: version(name) for name in packages},
        "settings": {name: str(value) for name, value in vars(given).items() if name != "corpus"},
        "load_before": load,
        "seconds": seconds,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    (OUT / "ocr.json").write_text(json.dumps(body, indent=1))


if __name__ == "__main__":
    main()
