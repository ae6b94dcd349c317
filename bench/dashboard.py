"""Dashboards over 10,000 and 1,000,000 jobs: time of each page, and what 20 and 200 people who poll each second cost.

`python -m bench.dashboard 10000` measures one size; `--only Offload` one dashboard. Peers: Bull
Board (`npm ci --prefix bench/peers/bull_board`), Flower, SAQ's own pages, rq-dashboard. Each is filled with as many jobs of
its own, in four queues: three in four completed, one in five waiting, one in twenty failed.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from rich.console import Console
from rich.table import Table

from bench.harness.boards import BOARDS, OFFLOAD, USER, Board, address
from bench.harness.queue_server import running, server, until
from bench.harness.shares import shared_out
from bench.harness.viewers import CAP_S, Visitor, crowd, latency
from bench.peers.ours_board import OWNERS, PAYLOADS, STEP_MS
from service.lib.ports import free_port

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 1_000_000)
VIEWERS = (20, 200)
START_S = 180.0
"""A dashboard that does not answer so long after its start is given up."""

PATTERNS = len(PAYLOADS) * len(OWNERS)
COLUMNS = ("dashboard", "page", "p50 ms", "p95 ms", "kB", "web CPU", "queue CPU")


def environment(url: str, folder: str) -> dict[str, str]:
    """What every contender's processes are told. Nothing of ours is to be removed for its number while it is measured."""
    retention = {f"OFFLOAD_QUEUES__{name}__KEEP_JOBS": "10000000" for name in
            ("PDF_PROCESSING", "EMAIL_SENDER", "CSV_EXPORT", "THUMBNAILS")}  # fmt: skip
    return os.environ | retention | {
        "BENCH_URL": url,
        "BENCH_DB": f"{folder}/flower",
        "PYTHONPATH": str(ROOT),
        "OFFLOAD_REDIS_URL": url,
        "OFFLOAD_DATA_DIR": folder,
        "OFFLOAD_API_KEYS": "acme:acme-secret-key-1",
        "OFFLOAD_DASHBOARD_USERS": f"{USER}:operator",
        "FLOWER_UNAUTHENTICATED_API": "true",
    }  # fmt: skip


@contextlib.contextmanager
def served(board: Board, count: int) -> Iterator[tuple[int, int, int, str]]:
    """The dashboard over its jobs: (port, pid of its process, pid of the queue server, id of a job)."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        env = environment(url, folder)
        begun = time.perf_counter()
        filled = subprocess.run(
            [*board.fill, str(count)], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if filled.returncode:
            raise RuntimeError(f"{board.name} could not be filled: {filled.stderr[-2000:]}")
        print(f"{board.name}: {count:,} jobs in {time.perf_counter() - begun:.0f} s", flush=True)
        (job,) = re.findall(r"^job (\S+)$", filled.stdout, re.MULTILINE)[-1:]
        port = free_port()
        known = {"port": str(port), "url": url, "db": env["BENCH_DB"], "count": str(count)}
        with running([part.format(**known) for part in board.serve], env) as web:
            until(lambda: _answers(board, port) or web.poll() is not None, START_S)
            if web.poll() is not None:
                raise RuntimeError(f"{board.name} ended with exit code {web.returncode}")
            yield port, web.pid, int(Redis.from_url(url).info()["process_id"]), job


def _answers(board: Board, port: int) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return bool(Visitor(port, board.user).get(board.pages[0][1]))
    return False


def lookup(visitor: Visitor, job: str, count: int) -> dict[str, str]:
    """What our own addresses name: a job, an error, and a place in the middle of the list."""
    jobs = visitor.get("/admin/jobs?status=completed").decode()
    (newest,) = re.findall(r"since=(\d+)", jobs)[:1]
    (error,) = re.findall(r"/admin/errors/([0-9a-f]+)", visitor.get("/admin/errors").decode())[:1]
    (live,) = re.findall(r'hx-get="(/admin/jobs/live[^"]*)"', visitor.get("/admin/jobs").decode())[:1]
    # Half of the copies of one job back in time; the cursor is a creation stamp, in microseconds.
    middle = f"{int(newest) + shared_out(count, 'completed', PATTERNS) // 2 * STEP_MS * 1000:x}"
    return {"job": job, "error": error, "middle": middle, "live": live.replace("&amp;", "&")}


def measure(board: Board, count: int) -> list[list[Any]]:
    """The rows of one dashboard."""
    rows: list[list[Any]] = []
    with served(board, count) as (port, web_pid, queue_pid, job):
        visitor = Visitor(port, board.user)
        known = lookup(visitor, job, count) if board is OFFLOAD else {"job": job}
        for name, path in board.pages:
            path = known["live"] if name == "jobs, fragment" else address(path, **known)
            seen = latency(visitor, path)
            rows.append([board.name, name, _ms(seen.p50), _ms(seen.p95), f"{seen.kilobytes:.0f}", "", ""])
        for viewers in VIEWERS:
            cost = crowd(viewers, port, board.user, board.polled, web_pid, queue_pid)
            cpu = [f"{cost.web_cpu:.2f}", f"{cost.queue_cpu:.2f}"]
            rows.append([board.name, f"{viewers} viewers", _ms(cost.p50), _ms(cost.p95), "", *cpu])
    return rows


def _ms(value: float | None) -> str:
    return f"over {CAP_S:.0f} s" if value is None else f"{value:,.1f}"


def bench(count: int, boards: list[Board]) -> None:
    rows: list[list[Any]] = []
    versions: dict[str, dict[str, str]] = {}
    for board in boards:
        found = board.versions()
        if found is None:
            print(f"{board.name} is not installed, and so not measured.")
            continue
        versions |= {board.name: found}
        try:
            rows += measure(board, count)
        except TimeoutError:
            rows.append([board.name, "start", f"over {START_S:.0f} s", "", "", "", ""])
        # After each, so that a run that is stopped has not been for nothing.
        retention(count, rows, versions)
    title = f"{_title(count)}\n{'; '.join(' '.join(map(' '.join, v.items())) for v in versions.values())}"
    table = Table(*COLUMNS, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def retention(count: int, rows: list[list[Any]], versions: dict[str, dict[str, str]]) -> None:
    """Write what has been measured so far to bench/out/dashboard-<count>.json."""
    out = ROOT / "bench" / "out"
    out.mkdir(exist_ok=True)
    at = time.strftime("%Y-%m-%dT%H:%M:%S")
    body = {"title": _title(count), "columns": COLUMNS, "rows": rows, "versions": versions, "at": at}
    (out / f"dashboard-{count}.json").write_text(json.dumps(body, indent=1))


def _title(count: int) -> str:
    return f"Dashboards over {count:,} jobs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description="Times dashboards over many jobs.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of jobs")
    parser.add_argument("--only", help="the name of one dashboard")
    given = parser.parse_args()
    for count in given.sizes:
        bench(count, [board for board in BOARDS if given.only in (None, board.name)])


if __name__ == "__main__":
    main()
