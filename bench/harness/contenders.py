"""Who takes part in the queue benches: how each starts a worker, how its client enqueues, and its version.

The peers live in environments of their own, made by `make bench`: for Python bench/peers/requirements.txt (some want a
newer redis-py than arq does), whose interpreter BENCH_PYTHON names; for node bench/peers/bullmq/package.json.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = sys.executable
THEIRS = os.environ.get("BENCH_PYTHON", sys.executable)
NODE = shutil.which("node") or ""
BULLMQ = "bench/peers/bullmq/peer.mjs"


@dataclass(frozen=True)
class Contender:
    """`client` answers `pickup N PAUSE_S`, `fill N single|bulk`, `long S` and `after FILE …`; `worker` is one process."""

    key: str
    name: str
    packages: tuple[str, ...]
    client: tuple[str, ...]
    worker: tuple[str, ...]
    bulk: bool = False
    """Whether its client has a call that enqueues many jobs at once."""

    variant_of: str = ""
    """The key of the contender with the same client and another worker: measured once where only clients are."""


def _python(module: str, interpreter: str = THEIRS) -> tuple[str, ...]:
    return (interpreter, "-m", "bench.harness.client", f"bench.peers.{module}")


def _rq(worker_class: str) -> tuple[str, ...]:
    return (THEIRS, "-m", "rq.cli", "worker", "--quiet", "-w", worker_class, "bench")


def _taskiq(module: str) -> tuple[str, ...]:
    return (
        THEIRS,
        "-m",
        "taskiq",
        "worker",
        f"bench.peers.{module}:broker",
        "--workers",
        "1",
        "--max-async-tasks",
        "100",
    )


CONTENDERS = [
    Contender(
        "offload",
        "Offload",
        ("offload", "arq", "redis"),
        _python("ours", OURS),
        (OURS, "-m", "arq", "bench.peers.ours_worker.Bench"),
        bulk=True,
    ),
    Contender(
        "arq",
        "arq, stock",
        ("arq", "redis"),
        _python("arq_stock", OURS),
        (OURS, "-m", "arq", "bench.peers.arq_stock.Stock"),
    ),
    Contender(
        "arq-5ms",
        "arq, polling each 5 ms",
        ("arq", "redis"),
        _python("arq_stock", OURS),
        (OURS, "-m", "arq", "bench.peers.arq_stock.Eager"),
        variant_of="arq",
    ),
    Contender(
        "saq", "SAQ", ("saq", "redis"), _python("saq_peer"), (THEIRS, "-m", "saq", "bench.peers.saq_peer.settings")
    ),
    Contender(
        "streaq",
        "streaQ",
        ("streaq", "coredis"),
        _python("streaq_peer"),
        (THEIRS, "-m", "streaq", "run", "bench.peers.streaq_peer:worker"),
        bulk=True,
    ),
    Contender(
        "taskiq-stream",
        "taskiq, stream",
        ("taskiq", "taskiq-redis", "redis"),
        _python("taskiq_stream"),
        _taskiq("taskiq_stream"),
    ),
    Contender(
        "taskiq-list",
        "taskiq, list",
        ("taskiq", "taskiq-redis", "redis"),
        _python("taskiq_list"),
        _taskiq("taskiq_list"),
    ),
    Contender("rq", "RQ, simple worker", ("rq", "redis"), _python("rq_peer"), _rq("rq.worker.SimpleWorker"), bulk=True),
    Contender(
        "rq-fork", "RQ, forking worker", ("rq", "redis"), _python("rq_peer"), _rq("rq.worker.Worker"), variant_of="rq"
    ),
    Contender(
        "dramatiq",
        "Dramatiq",
        ("dramatiq", "redis"),
        _python("dramatiq_peer"),
        (THEIRS, "-m", "dramatiq", "bench.peers.dramatiq_peer", "--processes", "1", "--threads", "8"),
    ),
    Contender(
        "celery",
        "Celery, prefork",
        ("celery", "kombu", "redis"),
        _python("celery_peer"),
        (THEIRS, "-m", "celery", "-A", "bench.peers.celery_peer", "--quiet", "worker", "-P", "prefork", "-c", "1"),
    ),
    Contender(
        "huey",
        "Huey",
        ("huey", "redis"),
        _python("huey_peer"),
        (THEIRS, "-m", "huey.bin.huey_consumer", "bench.peers.huey_peer.huey"),
    ),
    Contender("bullmq", "BullMQ (node)", ("bullmq", "ioredis"), (NODE, BULLMQ), (NODE, BULLMQ, "worker"), bulk=True),
]


def taking_part(contenders: Sequence[Contender]) -> list[Contender]:
    """Those of `contenders` whose packages are installed; the others are named in a line."""
    absent = [c.name for c in contenders if not versions(c)]
    if absent:
        print(f"not installed, and so not measured: {', '.join(absent)}")
    return [c for c in contenders if c.name not in absent]


def versions(contender: Contender) -> dict[str, str]:
    """Each of the contender's packages with its version; empty where one is missing."""
    if contender.key == "bullmq":
        return _node_versions(contender.packages)
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    command = [contender.client[0], "-c", code, *contender.packages]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return dict(zip(contender.packages, found.stdout.split(), strict=True)) if found.returncode == 0 else {}


def _node_versions(packages: Iterable[str]) -> dict[str, str]:
    modules = ROOT / "bench" / "peers" / "bullmq" / "node_modules"
    manifests = {package: modules / package / "package.json" for package in packages}
    if not NODE or not all(manifest.exists() for manifest in manifests.values()):
        return {}
    found = {package: json.loads(manifest.read_text())["version"] for package, manifest in manifests.items()}
    node = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    return found | {"node": node.stdout.strip().removeprefix("v")}
