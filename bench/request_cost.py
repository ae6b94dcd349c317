"""CPU that a request costs: `python -m bench.request_cost [--requests 1000] [--rounds 3]`.

An installation of `offload up`; the export is asked for an hour later, so that nothing is run for it. Each kind is asked for RATE
times a second, in turns; the figures are CPU time of the web application and of the queue server divided by the requests, less what
they spend while nothing is asked for. CPU time is what a busy machine changes least.
"""

import argparse
import asyncio
import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.load import EXPORT, NOTHING, RATE, Web, installation, name_of
from bench.long_scan import MODELS, OUT

WARM = 200
"""Requests of each kind before it is measured: the first ones read what later ones share."""

IDLE_S = 5.0
LATER = EXPORT | {"schedule_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
KINDS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "nothing": ("GET", NOTHING, {}, 200),
    "languages (a key, and nothing else)": ("GET", "/api/ocr/languages", {}, 200),
    "status of a job": ("GET", "/api/jobs/{job}/status", {}, 200),
    "list of 50 jobs": ("GET", "/api/jobs?limit=50", {}, 200),
    "export": ("POST", "/api/jobs/csv-export", {"json": LATER}, 202),
}
"""Method, path, arguments and expected status of each kind of request."""

MEASURED = ("web", "queue server")


def spent_us(web: Web) -> dict[str, float]:
    """CPU microseconds so far of the web application and the queue server, exact to the scheduler's nanosecond."""
    spent = dict.fromkeys(MEASURED, 0.0)
    for process in web.processes():
        if (name := name_of(process)) not in spent:
            continue
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            try:
                spent[name] += int(Path(f"/proc/{process.pid}/task/{thread}/schedstat").read_text().split()[0]) / 1000
            except OSError:
                # A thread that has ended: what it spent stays uncounted.
                continue
    return spent


async def requested(web: Web, kind: str, count: int, job: str) -> None:
    """Ask `count` times, RATE times a second. Raises RuntimeError for another reply than the expected one."""
    method, path, arguments, expected = KINDS[kind]
    begun, requests = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(begun + number / RATE - time.perf_counter())
        requests.append(asyncio.create_task(web.timed(method, path.format(job=job), **arguments)))
    if strange := {status for status, _ in [await one for one in requests]} - {expected}:
        raise RuntimeError(f"{kind}: {strange}")


async def bench(given: argparse.Namespace) -> None:
    """Rounds over the kinds in turns, and the medians."""
    MODELS.mkdir(parents=True, exist_ok=True)
    seen: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in MEASURED} for kind in KINDS}
    async with installation() as web:
        async with web.http.post("/api/jobs/csv-export", json=LATER) as reply:
            job = (await reply.json())["job_id"]
        for kind in KINDS:
            await requested(web, kind, WARM, job)
        before = spent_us(web)
        await asyncio.sleep(IDLE_S)
        idle = {name: (spent - before[name]) / IDLE_S for name, spent in spent_us(web).items()}
        for _ in range(given.rounds):
            for kind in KINDS:
                before, begun = spent_us(web), time.perf_counter()
                await requested(web, kind, given.requests, job)
                passed_s = time.perf_counter() - begun
                for name, spent in spent_us(web).items():
                    seen[kind][name].append((spent - before[name] - idle[name] * passed_s) / given.requests)
    table = Table("request", *(f"{name}, µs of CPU" for name in MEASURED))
    for kind, figures in seen.items():
        table.add_row(kind, *(f"{median(values):,.0f}" for values in figures.values()))
    Console(width=140).print(table)
    (OUT / "request_cost.json").write_text(json.dumps({"seen": seen, "idle_us_per_s": idle}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
