"""Reading of one document by one reader: its scores, its time, and the memory of its processes."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from types import TracebackType
from typing import Self

import psutil

from bench.reading.documents import Document
from tests.ocr.score import precision, recall

SAMPLE_S = 0.1
"""Time between two samples of memory. Each process reports its own peak, so only one that lives shorter is missed."""

MB = 1 << 20


@dataclass(frozen=True)
class PageRead:
    """One page as a reader gave it. `cpu_s` and `stages` (CPU seconds by stage) are of its process and its children;
    `confidence` and `doubtful` are None for a reader without them."""

    text: str
    cpu_s: float = 0.0
    confidence: float | None = None
    doubtful: bool | None = None
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """`first_s`: seconds to the first page. `peak_mb`: of the largest process. `cpu_s`: CPU seconds a page, None where
    they were not measured. `scores`: recall and precision of each page, of words as a bag, case folded; None for a page
    without a truth. `confidences`, `doubtful`, `stages`: of each page, empty for a reader that gives none."""

    reader: str
    document: str
    pages: int
    pages_per_minute: float
    first_s: float
    peak_mb: int
    scores: tuple[tuple[float, float] | None, ...]
    cpu_s: float | None = None
    confidences: tuple[float | None, ...] = ()
    doubtful: tuple[bool | None, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    """Mean CPU seconds a page by stage."""

    def mean_scores(self, pages: int | None = None) -> tuple[float, float] | None:
        """Mean recall and precision, of the first `pages` pages or of all; None where none has a truth."""
        scored = [score for score in self.scores[:pages] if score]
        return (mean(r for r, _ in scored), mean(p for _, p in scored)) if scored else None


def scored(document: Document, texts: Sequence[str]) -> tuple[tuple[float, float] | None, ...]:
    """Recall and precision of the texts of the document's first pages, in small letters: transcripts of receipts have
    capitals only."""
    return tuple(
        None if truth is None else (recall(text.lower(), truth.lower()), precision(text.lower(), truth.lower()))
        for text, truth in zip(texts, document.truths, strict=False)
    )


def result(
    reader: str,
    document: Document,
    read: Sequence[PageRead],
    seconds: float,
    first_s: float,
    peak_mb: int,
    cpu_s: float | None = None,
) -> Result:
    """The readings of the document's first pages, scored."""
    stages = sorted({stage for page in read for stage in page.stages})
    return Result(
        reader,
        document.name,
        len(read),
        60 * len(read) / seconds,
        first_s,
        peak_mb,
        scored(document, [page.text for page in read]),
        cpu_s,
        tuple(page.confidence for page in read),
        tuple(page.doubtful for page in read),
        {stage: mean(page.stages.get(stage, 0.0) for page in read) for stage in stages},
    )


class PeakMemory:
    """Watches all descendants of this process for as long as it is entered."""

    def __init__(self) -> None:
        self._peaks: dict[int, tuple[str, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def largest_mb(self, word: str = "") -> int:
        """The highest peak among the processes that have `word` in their command line."""
        return max((peak for command, peak in self._peaks.values() if word in command), default=0) // MB

    def _watch(self) -> None:
        while not self._end.is_set():
            for process in psutil.Process().children(recursive=True):
                try:
                    command = " ".join(process.cmdline())
                    peak = highest_rss(process.pid) or process.memory_info().rss
                except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                    continue
                self._peaks[process.pid] = command, max(peak, self._peaks.get(process.pid, ("", 0))[1])
            self._end.wait(SAMPLE_S)


def highest_rss(pid: int) -> int:
    """Bytes the process has had resident at most; 0 where the system does not say."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


class Stopwatch:
    """Seconds since it was made, and when the first page came."""

    def __init__(self) -> None:
        self._started_s = time.perf_counter()
        self.first_s = 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self._started_s

    def page(self) -> None:
        """A page is there."""
        self.first_s = self.first_s or self.seconds()
