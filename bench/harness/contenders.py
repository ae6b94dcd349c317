"""Who takes part in the queue benches: how each starts a worker, and how its client enqueues.

The peers live in an environment of their own (bench/peers/requirements.txt, made by `make bench`): some want a newer
redis-py than arq does. BENCH_PYTHON names its interpreter.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

OURS = sys.executable
THEIRS = os.environ.get("BENCH_PYTHON", sys.executable)


@dataclass(frozen=True)
class Contender:
    """`client` is a module with `async def pickup(n, pause_s)` and `async def fill(n, bulk)`; `worker` one process."""

    name: str
    package: str
    client: str
    worker: tuple[str, ...]

    @property
    def python(self) -> str:
        """The interpreter that its client needs: the same as its worker's."""
        return self.worker[0]

    @property
    def present(self) -> bool:
        found = subprocess.run([self.python, "-c", f"import {self.package}"], capture_output=True, check=False)
        return found.returncode == 0


CONTENDERS = [
    Contender("Offload", "arq", "bench.peers.ours", (OURS, "-m", "arq", "bench.peers.ours_worker.Bench")),
    Contender("arq, stock", "arq", "bench.peers.arq_stock", (OURS, "-m", "arq", "bench.peers.arq_stock.Stock")),
    Contender(
        "arq, polling each 5 ms", "arq", "bench.peers.arq_stock", (OURS, "-m", "arq", "bench.peers.arq_stock.Eager")
    ),
    Contender("SAQ", "saq", "bench.peers.saq_peer", (THEIRS, "-m", "saq", "bench.peers.saq_peer.settings")),
    Contender(
        "taskiq, list",
        "taskiq_redis",
        "bench.peers.taskiq_peer",
        (
            THEIRS,
            "-m",
            "taskiq",
            "worker",
            "bench.peers.taskiq_peer:broker",
            "--workers",
            "1",
            "--max-async-tasks",
            "100",
        ),
    ),
    Contender(
        "Huey", "huey", "bench.peers.huey_peer", (THEIRS, "-m", "huey.bin.huey_consumer", "bench.peers.huey_peer.huey")
    ),
]


def taking_part() -> list[Contender]:
    """Those whose package is installed in the peers' environment; the others are named in a line."""
    absent = [c.name for c in CONTENDERS if not c.present]
    if absent:
        print(f"not installed, and so not measured: {', '.join(absent)}")
    return [c for c in CONTENDERS if c.present]
