"""The dashboards of the bench: how each is filled and served, which addresses are its pages, and what its pages poll.

Of those that are drawn in the browser only the data behind a page is asked for, not the page itself: that favours them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

PEERS = Path(__file__).parents[1] / "peers"
OURS = sys.executable
THEIRS = os.environ.get("BENCH_PYTHON", sys.executable)
NODE = shutil.which("node") or ""
BULL = PEERS / "bull_board"

USER = "admin:admin-password-1"

FLOWER_COLUMNS = ("name", "uuid", "state", "args", "kwargs", "result", "received", "started")


@dataclass(frozen=True)
class Board:
    """`fill` gets the number of jobs as last argument and prints `job ID`; in `serve` {port}, {url}, {db} and {count} are
    filled in. `pages` are (name, address), in which {job} is that id; `polled` is what an open page asks for each second.
    """

    name: str
    packages: Sequence[str]
    fill: Sequence[str]
    serve: Sequence[str]
    pages: Sequence[tuple[str, str]]
    polled: str
    user: str = ""

    def versions(self) -> dict[str, str] | None:
        """Its packages' versions, or None where one is not installed."""
        if self.name == "Bull Board":
            return _node_versions(self.packages)
        code = f"from importlib.metadata import version as v; print(*map(v, {list(self.packages)!r}))"
        found = subprocess.run([self.serve[0], "-c", code], capture_output=True, text=True, check=False)
        return dict(zip(self.packages, found.stdout.split(), strict=True)) if found.returncode == 0 else None


def _node_versions(packages: Sequence[str]) -> dict[str, str] | None:
    files = [BULL / "node_modules" / package / "package.json" for package in packages]
    if not NODE or not all(file.exists() for file in files):
        return None
    return {package: json.loads(file.read_text())["version"] for package, file in zip(packages, files, strict=True)}


def _flower(start: int = 0, search: str = "") -> str:
    """What Flower's table of tasks asks for: ten rows, the newest first."""
    columns = {f"columns[{n}][data]": name for n, name in enumerate(FLOWER_COLUMNS)}
    order = {"order[0][column]": 7, "order[0][dir]": "desc"}
    return f"/tasks/datatable?{urlencode({'draw': 1, 'start': start, 'length': 10, 'search[value]': search} | columns | order)}"


def _bull(queue: str, status: str, page: int = 1) -> str:
    return f"/board/api/queues?activeQueue={queue}&status={status}&page={page}&jobsPerPage=10"


FILE = "file-0123456789abcdef0123456789abcdef"

OFFLOAD = Board(
    "Offload",
    ("offload", "litestar", "redis"),
    (OURS, "-m", "bench.peers.ours_board"),
    (OURS, "-m", "uvicorn", "--factory", "dashboard.app:create_app", "--port", "{port}", "--log-level", "warning"),
    (
        ("queues", "/admin/queues"),
        ("queues, fragment", "/admin/queues/live"),
        ("one queue", "/admin/queues/csv-export"),
        ("jobs, 50 rows", "/admin/jobs"),
        ("jobs, fragment", "/admin/jobs/live"),
        ("jobs, failed", "/admin/jobs?status=failed"),
        ("jobs, in the middle", "/admin/jobs?status=completed&cursor={middle}"),
        ("jobs, task, owner and state", "/admin/jobs?type=csv-export&owner=acme&status=completed"),
        ("jobs, owner and queue", "/admin/jobs?owner=acme&queue=csv-export"),
        ("jobs, of a file", f"/admin/jobs?file_id={FILE}"),
        ("jobs, of a file, failed", f"/admin/jobs?file_id={FILE}&status=failed"),
        ("one job", "/admin/jobs/{job}"),
        ("one job, fragment", "/admin/jobs/{job}/live"),
        ("errors", "/admin/errors"),
        ("one error", "/admin/errors/{error}"),
        ("workers", "/admin/workers"),
        ("workers, fragment", "/admin/workers/live"),
        ("schedules", "/admin/schedules"),
        ("alerts", "/admin/alerts"),
        ("metrics, hour", "/admin/metrics?period=hour"),
        ("metrics, week", "/admin/metrics?period=week"),
        ("audit", "/admin/audit"),
        ("operations", "/admin/operations"),
        ("storage", "/admin/storage"),
    ),
    "/admin/queues/live",
    USER,
)

BOARDS = [
    OFFLOAD,
    Board(
        "Bull Board",
        ("@bull-board/api", "@bull-board/express", "bullmq"),
        (OURS, "-m", "bench.peers.bull_board_fill", NODE),
        (NODE, str(BULL / "board.mjs"), "serve", "{port}"),
        (
            ("queues", "/board/api/queues"),
            ("jobs, 10 rows", _bull("csv-export", "latest")),
            ("jobs, failed", _bull("csv-export", "failed")),
            ("jobs, in the middle", _bull("csv-export", "completed", 500)),
            ("one job", "/board/api/queues/csv-export/{job}"),
        ),
        _bull("csv-export", "latest"),
    ),
    Board(
        "Flower",
        ("flower", "celery"),
        (THEIRS, "-m", "bench.peers.flower_board"),
        (
            THEIRS, "-m", "celery", "--broker", "{url}", "flower", "--address=127.0.0.1", "--port={port}",
            "--persistent=True", "--db={db}", "--max_tasks={count}",
        ),
        (
            ("workers", "/workers?json=1"),
            ("tasks, 10 rows", _flower()),
            ("tasks, in the middle", _flower(start=5_000)),
            ("tasks, failed", _flower(search="state:FAILURE")),
            ("one task", "/task/{job}"),
        ),
        "/workers?json=1",
    ),
    Board(
        "SAQ's pages",
        ("saq", "aiohttp"),
        (THEIRS, "-m", "bench.peers.saq_board", "fill"),
        (THEIRS, "-m", "bench.peers.saq_board", "serve", "{port}"),
        (
            ("queues", "/api/queues"),
            ("one queue, 10 jobs", "/api/queues/csv-export"),
            ("one job", "/api/queues/csv-export/jobs/{job}"),
        ),
        "/api/queues",
    ),
    Board(
        "rq-dashboard",
        ("rq-dashboard", "rq"),
        (THEIRS, "-m", "bench.peers.rq_board"),
        (THEIRS, "-m", "rq_dashboard", "-b", "127.0.0.1", "-p", "{port}", "-u", "{url}"),
        (
            ("queues", "/0/data/queues.json"),
            ("jobs, 8 rows", "/0/data/jobs/csv-export/queued/8/asc/1.json"),
            ("jobs, failed", "/0/data/jobs/csv-export/failed/8/asc/1.json"),
            ("jobs, in the middle", "/0/data/jobs/csv-export/finished/8/asc/500.json"),
            ("one job", "/0/data/job/{job}.json"),
        ),
        "/0/data/queues.json",
    ),
]  # fmt: skip


def address(path: str, **known: str) -> str:
    """The path with what is known put in."""
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", quote(value))
    return path
