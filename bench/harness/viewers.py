"""People at a dashboard: one who opens page after page, and a crowd that polls each second."""

import base64
import contextlib
import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

CAP_S = 60.0
"""A page that takes longer counts as not answered."""

WARM = 3
SAMPLES = 40
"""Requests of each page that are measured, after those that warm it up."""

WATCHED_S = 8.0
"""How long a crowd is watched, after `SETTLED_S` in which it gathers."""
SETTLED_S = 2.0


class Visitor:
    """One browser's connection. `user` is name:password for HTTP basic, or empty."""

    def __init__(self, port: int, user: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CAP_S)
        self.headers = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}

    def get(self, path: str) -> bytes:
        """The body. Raises OSError when it takes too long, ValueError for an answer that is not a 200."""
        try:
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        if answer.status not in (200, 286):
            raise ValueError(f"{path} answered {answer.status}: {body[:200].decode(errors='replace')}")
        return body


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one page, and its size; None where it was not answered within `CAP_S`."""

    p50: float | None
    p95: float | None
    kilobytes: float


def latency(visitor: Visitor, path: str) -> Latency:
    """Open a page again and again."""
    took: list[float] = []
    body = b""
    for index in range(WARM + SAMPLES):
        begun = time.perf_counter()
        try:
            body = visitor.get(path)
        except TimeoutError:
            return Latency(None, None, 0.0)
        if index >= WARM:
            took.append((time.perf_counter() - begun) * 1000)
        # What takes seconds shows its manner within a few of them.
        if sum(took) > CAP_S * 1000:
            break
    return Latency(_share(took, 0.50), _share(took, 0.95), len(body) / 1000)


@dataclass(frozen=True)
class Crowd:
    """What a crowd costs: CPU seconds a second of the web process (with its children) and of the queue server, and milliseconds."""

    viewers: int
    web_cpu: float
    queue_cpu: float
    p50: float | None
    p95: float | None


def crowd(viewers: int, port: int, user: str, path: str, web_pid: int, queue_pid: int) -> Crowd:
    """`viewers` people, each of whom polls `path` every second, at moments spread over it."""
    until = time.perf_counter() + SETTLED_S + WATCHED_S
    took: list[float] = []
    threads = [
        threading.Thread(target=_poll, args=(Visitor(port, user), path, index / viewers, until, took), daemon=True)
        for index in range(viewers)
    ]
    for thread in threads:
        thread.start()
    time.sleep(SETTLED_S)
    took.clear()
    begun, web, queue = time.perf_counter(), _cpu_s(web_pid), _cpu_s(queue_pid)
    time.sleep(max(0.0, until - time.perf_counter()))
    spent = time.perf_counter() - begun
    web_cpu, queue_cpu = (_cpu_s(web_pid) - web) / spent, (_cpu_s(queue_pid) - queue) / spent
    figures = Crowd(viewers, web_cpu, queue_cpu, _share(list(took), 0.50), _share(list(took), 0.95))
    for thread in threads:
        thread.join(CAP_S)
    return figures


def _poll(visitor: Visitor, path: str, phase: float, until: float, took: list[float]) -> None:
    """Skips the ticks during which an answer is still awaited, as the pages' own scripts do."""
    due = time.perf_counter() + phase
    while due < until:
        time.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        with contextlib.suppress(OSError, http.client.HTTPException):
            visitor.get(path)
            took.append((time.perf_counter() - begun) * 1000)
        while due <= time.perf_counter():
            due += 1.0


def _cpu_s(pid: int) -> float:
    """User and system seconds of a process and of its children."""
    process = psutil.Process(pid)
    times: list[Any] = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
    return float(sum(one.user + one.system for one in times))


def _share(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
