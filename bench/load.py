"""The API while the machine works: `python -m bench.load [--only accept,burst,sockets,uploads,idle] [--sockets 1000]`.

`offload up` in processes of its own. `accept`: csv-export is asked for 100 times a second, and in between the same client asks an
endpoint that does nothing, both with idle cores and while both of them read scans; requests go out at their times, however late
the replies are. `burst`: 1,000 requests at once. `sockets`: WebSockets on one job, and when the last of them learns of its end.
`uploads`: files of 200 MB side by side, and the web application's memory. `idle`: CPU of an installation that has nothing to do.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pikepdf
import psutil
from rich.console import Console
from rich.table import Table

from bench.long_scan import MODELS, OUT, PROCESSES
from bench.reading import product
from bench.reading.documents import Document, scanned

RATE = 100
"""Requests for an export in a second, and as many for the endpoint that does nothing in between."""

SECONDS = 20.0
WARM_S = 2.0
BURST = 1_000
SCAN_PAGES = 60
"""Pages of a document that keeps the cores busy: more than are read while requests are measured."""

UPLOADS, UPLOAD_BYTES = 4, 200 << 20
PIECE = 1 << 20
IDLE_S = 60.0
EXPORT = {"dataset": "users", "query_params": {}, "format": "csv"}
NOTHING = "/health/live"

SETTINGS = {"OFFLOAD_QUEUES__CSV_EXPORT__OWNER_LIMIT": "1000000", "OFFLOAD_MAX_UPLOAD_BYTES": str(UPLOAD_BYTES + PIECE)}
"""The owner may have as many exports waiting as are asked for here."""


class Web:
    """The installation as a client sees it, and its processes."""

    def __init__(self, offload: product.Product, http: aiohttp.ClientSession) -> None:
        self.offload, self.http = offload, http

    async def timed(self, method: str, path: str, **more: Any) -> tuple[int, float]:
        """Status and milliseconds of a request; status 0 where the connection failed."""
        begun = time.perf_counter()
        status = 0
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.request(method, path, **more) as reply:
                await reply.read()
                status = reply.status
        return status, (time.perf_counter() - begun) * 1000

    def processes(self) -> list[psutil.Process]:
        """The installation's processes."""
        return [*psutil.Process(self.offload.process.pid).children(recursive=True)]

    def web_mb(self) -> int:
        """Resident memory of the web application."""
        return sum(one.memory_info().rss for one in self.processes() if name_of(one) == "web") >> 20


def name_of(process: psutil.Process) -> str:
    """The process in a word."""
    with suppress(psutil.Error):
        line = " ".join(process.cmdline())
        return next((name for name, word in PROCESSES.items() if word in line), "other")
    return "other"


@asynccontextmanager
async def installation() -> AsyncIterator[Web]:
    """A running installation, and a client of it without a bound on its connections."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-load-") as name,
        product.running(Path(name) / "data", MODELS, **SETTINGS) as offload,
    ):
        async with aiohttp.ClientSession(
            str(offload.http.base_url),
            headers={"Authorization": f"Bearer {product.KEY}"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=120),
        ) as http:
            yield Web(offload, http)


def row(name: str, seen: Sequence[tuple[int, float]], expected: int) -> list[str]:
    """Count, unexpected replies and milliseconds of one kind of request."""
    took = sorted(ms for _, ms in seen)
    share = [f"{took[min(len(took) - 1, int(len(took) * one))]:,.1f}" for one in (0.5, 0.95, 0.99)]
    other = sum(status != expected for status, _ in seen)
    return [name, f"{len(seen):,}", f"{other:,}", *share, f"{took[-1]:,.1f}"]


TIMES = ("requests", "count", "other replies", "p50 ms", "p95 ms", "p99 ms", "max ms")


async def paced(web: Web) -> dict[str, list[tuple[int, float]]]:
    """Replies to RATE exports a second and to as many requests for nothing, in turns."""
    requested: dict[str, list[Awaitable[tuple[int, float]]]] = {"export": [], "nothing": []}
    begun = time.perf_counter()
    for number in range(round(RATE * (WARM_S + SECONDS))):
        for kind, phase in (("export", 0.0), ("nothing", 0.5)):
            await asyncio.sleep(begun + (number + phase) / RATE - time.perf_counter())
            call = ("POST", "/api/jobs/csv-export", {"json": EXPORT}) if kind == "export" else ("GET", NOTHING, {})
            requested[kind].append(asyncio.create_task(web.timed(call[0], call[1], **call[2])))
    warm = round(RATE * WARM_S)
    return {kind: [await one for one in tasks][warm:] for kind, tasks in requested.items()}


async def accept(web: Web, scan: Document, _: Any) -> tuple[Sequence[str], list[list[str]]]:
    """Requests for exports and for an endpoint that does nothing, with idle and with busy cores."""
    rows = []
    await asyncio.to_thread(web.offload.read, scan, "auto")
    for state in ("idle", "both reading"):
        if state != "idle":
            jobs = [await asyncio.to_thread(web.offload.start, scan, "auto") for _ in range(4)]
            async with asyncio.timeout(120), web.http.ws_connect(f"/api/jobs/{jobs[0]}/events") as events:
                while not (await events.receive_json())["data"].get("pages_processed"):
                    pass
        seen = await paced(web)
        rows += [row(f"{kind}, cores {state}", seen[kind], 202 if kind == "export" else 200) for kind in seen]
    rows.append([f"pages read in the meantime: {sum([await read_pages(web, one) for one in jobs])}", *[""] * 6])
    return TIMES, rows


async def read_pages(web: Web, job_id: str) -> int:
    """Pages of a reading that are done."""
    async with web.http.get(f"/api/jobs/{job_id}/status") as reply:
        return int((await reply.json())["data"].get("pages_processed", 0))


async def burst(web: Web, *_: Any) -> tuple[Sequence[str], list[list[str]]]:
    """BURST requests at once, over as many connections."""
    kinds: dict[str, tuple[int, Callable[[], Awaitable[tuple[int, float]]]]] = {
        "nothing": (200, lambda: web.timed("GET", NOTHING)),
        "export": (202, lambda: web.timed("POST", "/api/jobs/csv-export", json=EXPORT)),
        "list of jobs": (200, lambda: web.timed("GET", "/api/jobs?limit=50")),
    }
    rows = []
    for name, (expected, call) in kinds.items():
        rows.append(row(f"{BURST:,} at once: {name}", await asyncio.gather(*(call() for _ in range(BURST))), expected))
    return TIMES, rows


async def sockets(web: Web, _: Any, given: argparse.Namespace) -> tuple[Sequence[str], list[list[str]]]:
    """WebSockets on one job that waits for an hour: memory, and how late the last one learns of its cancellation."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    async with web.http.post("/api/jobs/csv-export", json=EXPORT | {"schedule_at": later}) as reply:
        job_id = (await reply.json())["job_id"]
    before, ended = web.web_mb(), asyncio.Event()
    cancelled_at = 0.0

    async def listened(opening: asyncio.Semaphore, following: "asyncio.Queue[None]") -> tuple[str, float]:
        """Status of the last message, and milliseconds from the cancellation to it."""
        async with opening:
            socket = await web.http.ws_connect(f"/api/jobs/{job_id}/events")
            # Awaited from now on, as a client does: what is received answers the server's pings too.
            await socket.receive_json()
        following.put_nowait(None)
        status = (await socket.receive_json())["status"]
        late_ms = (time.perf_counter() - cancelled_at) * 1000
        await ended.wait()
        await socket.close()
        return status, late_ms

    begun, opening, following = time.perf_counter(), asyncio.Semaphore(100), asyncio.Queue[None]()
    # A group, so that one that is refused ends the bench.
    async with asyncio.TaskGroup() as group:
        listeners = [group.create_task(listened(opening, following)) for _ in range(given.sockets)]
        for _ in listeners:
            await following.get()
        open_s, after = time.perf_counter() - begun, web.web_mb()
        cancelled_at = time.perf_counter()
        cancelled = await web.timed("POST", f"/api/jobs/{job_id}/cancel")
        ended.set()
    seen = [one.result() for one in listeners]
    late = sorted(ms for _, ms in seen)
    return (
        "sockets",
        "opened in s",
        "MB before",
        "MB with them",
        "cancel ms",
        "reported",
        "first ms",
        "median ms",
        "last ms",
    ), [
        [
            f"{len(seen):,}",
            f"{open_s:.1f}",
            str(before),
            str(after),
            f"{cancelled[1]:.0f}",
            f"{sum(status == 'cancelled' for status, _ in seen):,}",
            *(f"{ms:,.0f}" for ms in (late[0], median(late), late[-1])),
        ]
    ]


def heavy_pdf(folder: Path) -> Path:
    """A PDF of one page that carries UPLOAD_BYTES of noise, which is read by no one."""
    path = folder / "heavy.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Noise = pdf.make_indirect(pikepdf.Stream(pdf, os.urandom(UPLOAD_BYTES - PIECE)))
        pdf.save(path, compress_streams=False)
    return path


async def uploads(web: Web, *_: Any) -> tuple[Sequence[str], list[list[str]]]:
    """PDFs of UPLOAD_BYTES side by side, until the last one is stored: their rate, and the web application's memory."""
    before, peak = web.web_mb(), 0

    async def watched() -> None:
        nonlocal peak
        while True:
            peak = max(peak, web.web_mb())
            await asyncio.sleep(0.1)

    async def sent(path: Path) -> tuple[int, float]:
        with path.open("rb") as file:
            return await web.timed("POST", "/api/files", data={"file": file})

    with tempfile.TemporaryDirectory(prefix="bench-upload-") as name:
        path = await asyncio.to_thread(heavy_pdf, Path(name))
        watch = asyncio.create_task(watched())
        begun = time.perf_counter()
        seen = await asyncio.gather(*(sent(path) for _ in range(UPLOADS)))
        spent = time.perf_counter() - begun
        watch.cancel()
    replies = ", ".join(sorted({str(status) for status, _ in seen}))
    rate = f"{UPLOADS * UPLOAD_BYTES / spent / 1e6:,.0f}"
    columns = ("uploads of 200 MB side by side", "replies", "MB/s in all", "web MB before", "web MB at most")
    return columns, [[str(UPLOADS), replies, rate, str(before), str(peak)]]


async def idle(web: Web, *_: Any) -> tuple[Sequence[str], list[list[str]]]:
    """CPU of each kind of process while nothing is asked for, as a share of a core."""
    await asyncio.sleep(10)
    before = spent_s(web)
    await asyncio.sleep(IDLE_S)
    after = spent_s(web)
    rows = [[name, f"{(after[name] - before.get(name, 0.0)) / IDLE_S:.2%}"] for name in sorted(after)]
    whole = sum(after[name] - before.get(name, 0.0) for name in after) / IDLE_S
    return ("idle process", "of a core"), [*rows, ["all together", f"{whole:.2%}"]]


def spent_s(web: Web) -> dict[str, float]:
    """CPU seconds of the processes by name; workers by their queue."""
    seconds: dict[str, float] = {}
    for process in web.processes():
        with suppress(psutil.Error):
            line = process.cmdline()
            name = line[-1] if line and line[-1].startswith("tasks.workers") else name_of(process)
            times = process.cpu_times()
            seconds[name] = seconds.get(name, 0.0) + times.user + times.system
    return seconds


PARTS = {"accept": accept, "burst": burst, "sockets": sockets, "uploads": uploads, "idle": idle}


async def bench(given: argparse.Namespace) -> None:
    """Each part on an installation of its own, and its table."""
    MODELS.mkdir(parents=True, exist_ok=True)
    seen: dict[str, Any] = {"load_before": os.getloadavg()[0], "at": time.strftime("%Y-%m-%dT%H:%M:%S")}
    with tempfile.TemporaryDirectory(prefix="bench-scan-") as folder:
        scan = scanned(Path(folder), "mild", SCAN_PAGES if "accept" in given.only else 1)
        for part in given.only:
            async with installation() as web:
                columns, rows = await PARTS[part](web, scan, given)
            table = Table(*columns, title=part)
            for cells in rows:
                table.add_row(*cells)
            Console(width=140).print(table)
            seen[part] = {"columns": columns, "rows": rows}
    (OUT / "load.json").write_text(json.dumps(seen, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda given: given.split(","), default=list(PARTS))
    parser.add_argument("--sockets", type=int, default=1_000)
    given = parser.parse_args()
    if strange := set(given.only) - set(PARTS):
        parser.error(f"{', '.join(sorted(strange))}: the parts are {', '.join(PARTS)}")
    asyncio.run(bench(given))


if __name__ == "__main__":
    main()
