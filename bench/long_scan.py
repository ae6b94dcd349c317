"""A scan of 500 pages, read to its end as a client has it read: `python -m bench.long_scan [--pages 500] [--engine auto]`.

`offload up` in processes of its own that have read a page before, the document sent and fetched over HTTP. Progress is
polled each quarter of a second until the first page, then each second. Reported are pages a minute, seconds to the first
page, the error of each minute's estimate, the peak memory of children, worker and web application, doubtful pages, and
attempts that ran out of time. Seven minutes on two cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.reading import product
from bench.reading.documents import WEAR, Document, scanned
from bench.reading.readers import engines
from bench.reading.result import PeakMemory, Stopwatch, result

OUT = Path(__file__).parent / "out"
MODELS = OUT / "models"
ASK_S = 1.0
ASK_FIRST_S = 0.25
"""Between two polls before the first page, which is timed."""

WARM_PAGES = 4
AIM_S, FIRST_AIM_S = 7 * 60.0, 3.0
"""For 500 pages on two cores, and for the first page of them on a warm worker."""

MAX_UPLOAD_BYTES = 1 << 30
"""Noise does not compress: 500 such pages come to 230 MB, more than a document may have by default."""

PROCESSES = {"child": "multiprocessing", "worker": "PdfProcessing", "web": "dashboard.app", "queue server": "valkey"}
"""A word of each process's command line."""


@dataclass(frozen=True)
class Progress:
    """Pages read `at_s` after the upload began, and the end that the job expected then, on the same clock."""

    at_s: float
    pages: int
    expected_s: float | None


@dataclass(frozen=True)
class Minute:
    """The end expected at a minute. `error` is a share of the whole time, `error_left` of the time that was left."""

    minute: int
    pages: int
    expected_s: float
    error: float
    error_left: float


def follow(offload: product.Product, job_id: str, watch: Stopwatch) -> list[Progress]:
    """Progress until the job has ended."""
    polled: list[Progress] = []
    while True:
        status = offload.call("GET", f"/api/jobs/{job_id}/status").json()
        polled.append(Progress(watch.seconds(), status["data"].get("pages_processed", 0), _expected_s(status, watch)))
        if polled[-1].pages:
            watch.page()
        if status["status"] in ("completed", "failed", "cancelled"):
            return polled
        time.sleep(ASK_S if watch.first_s else ASK_FIRST_S)


def _expected_s(status: dict[str, Any], watch: Stopwatch) -> float | None:
    expected = status["estimated_completion"]
    return datetime.fromisoformat(expected).timestamp() - time.time() + watch.seconds() if expected else None


def minutes(polled: Sequence[Progress]) -> list[Minute]:
    """The first progress of each whole minute that had an estimate."""
    end_s = polled[-1].at_s
    found: list[Minute] = []
    for one in polled:
        if one.at_s >= 60 * (len(found) + 1) and one.expected_s is not None and one.at_s < end_s:
            error = abs(one.expected_s - end_s)
            left = error / (end_s - one.at_s)
            found.append(Minute(len(found) + 1, one.pages, one.expected_s, error / end_s, left))
    return found


def read(offload: product.Product, document: Document, engine: str) -> dict[str, Any]:
    """The document as one job, and its figures."""
    with PeakMemory() as memory:
        watch = Stopwatch()
        job_id = offload.start(document, engine)
        polled = follow(offload, job_id, watch)
        seconds = watch.seconds()
    detail = offload.call("GET", f"/api/jobs/{job_id}").json()
    if detail["status"] != "completed":
        raise SystemExit(f"The job has {detail['status']}: {detail['error']}")
    read = product.pages_read(offload.call("GET", f"/api/jobs/{job_id}/files/pages.json").content)
    scores = result("", document, read, seconds, watch.first_s, 0).mean_scores() or (0.0, 0.0)
    return {
        "pages": document.pages,
        "seconds": seconds,
        "pages_per_minute": 60 * document.pages / seconds,
        "first_page_s": watch.first_s,
        "minutes": [asdict(minute) for minute in minutes(polled)],
        "peak_mb": {name: memory.largest_mb(word) for name, word in PROCESSES.items()},
        "parts": len(detail["parts"]),
        "attempts_beyond_the_first": sum(part["attempt"] - 1 for part in detail["parts"]) + len(detail["attempts"]) - 1,
        "errors": [attempt["error"] for attempt in detail["attempts"] if attempt["error"]],
        "failed_pages": detail["result"]["failed"],
        "doubtful_pages": sum(bool(page.doubtful) for page in read),
        "recall": scores[0],
        "precision": scores[1],
    }


def show(seen: dict[str, Any]) -> None:
    """A table of the minutes, a line for the rest, and bench/out/long_scan.json."""
    columns = ("minute", "pages", "expected end, s", "off by, of the whole", "off by, of what was left")
    table = Table(
        *columns, title=f"{seen['pages']} pages in {seen['seconds']:.0f} s: {seen['pages_per_minute']:.1f} a minute"
    )
    for one in seen["minutes"]:
        errors = f"{one['error']:.1%}", f"{one['error_left']:.1%}"
        table.add_row(str(one["minute"]), str(one["pages"]), f"{one['expected_s']:.0f}", *errors)
    Console(width=120).print(table)
    print(
        f"first page after {seen['first_page_s']:.1f} s; recall {seen['recall']:.3f}, precision {seen['precision']:.3f}; "
        f"failed pages {seen['failed_pages']}; doubtful {seen['doubtful_pages']}; "
        f"attempts beyond the first {seen['attempts_beyond_the_first']}"
    )
    aim_s = AIM_S * seen["pages"] / 500
    print(f"{'met' if seen['seconds'] <= aim_s else 'missed'}: all pages within {aim_s:.0f} s")
    print(f"{'met' if seen['first_page_s'] <= FIRST_AIM_S else 'missed'}: the first within {FIRST_AIM_S:g} s")
    print("peak MB: " + ", ".join(f"{name} {mb:,}" for name, mb in seen["peak_mb"].items()))
    (OUT / "long_scan.json").write_text(json.dumps(seen, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--wear", choices=list(WEAR), default="mild")
    parser.add_argument("--engine", choices=engines(), default="auto")
    given = parser.parse_args()
    MODELS.mkdir(parents=True, exist_ok=True)
    if "easyocr" in engines():
        prepare = [sys.executable, "-m", "tasks.ocr.networks.prepare", str(MODELS)]
        subprocess.run(prepare, check=True, capture_output=True)
    with tempfile.TemporaryDirectory(prefix="bench-long-") as name:
        document = scanned(Path(name), given.wear, given.pages)
        load = os.getloadavg()[0]
        with product.running(Path(name) / "data", MODELS, OFFLOAD_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)) as offload:
            warm = Path(name) / "warm"
            warm.mkdir()
            offload.read(scanned(warm, "clean", WARM_PAGES), given.engine)
            seen = read(offload, document, given.engine)
    seen |= {"engine": given.engine, "wear": given.wear, "load_before": load, "at": time.strftime("%Y-%m-%dT%H:%M:%S")}
    show(seen)


if __name__ == "__main__":
    main()
