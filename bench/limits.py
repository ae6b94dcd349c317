"""No-op jobs a second of one worker process, of types without and with limits over keys, in turns.

Each ratio is of a run and the run of the type without limits in the same round; the table has the medians.
"""

import statistics
import sys

from bench.harness.backlog import cleared
from bench.harness.contenders import OURS, Contender
from bench.harness.options import parser
from bench.harness.report import table

TYPES = {
    "bench-stamp": "no limits",
    "bench-one-key": "one key, with room",
    "bench-two-keys": "two keys and a rate, with room",
    "bench-full-key": "50 keys, 2 at a time each",
}


def contender(job_type: str, name: str) -> Contender:
    client = ("env", f"BENCH_TYPE={job_type}", OURS, "-m", "bench.harness.client", "bench.peers.ours_keyed")
    worker = (OURS, "-m", "arq", "bench.peers.ours_worker.Bench")
    return Contender(job_type, name, ("offload", "redis"), client, worker, bulk=True)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--jobs", type=int, default=20_000, help="waiting when the worker starts (default 20000)")
    arguments.add_argument("--seconds", type=float, default=10, help="measured at most, for each run (default 10)")
    options = arguments.parse_args()
    part = [contender(*row) for row in TYPES.items()]
    figures: dict[str, list[tuple[float, float, float]]] = {one.key: [] for one in part}
    for turn in range(options.runs):
        plain = 0.0
        for one in part:
            found = cleared(one, options.jobs, options.seconds)
            plain = plain or found.jobs_per_s
            cost_us = 1e6 * found.server_core / found.jobs_per_s
            figures[one.key].append((found.jobs_per_s, cost_us, found.jobs_per_s / plain))
            print(f"{turn + 1}/{options.runs} {one.name}: {found.jobs_per_s:,.0f}/s {cost_us:.0f} µs", file=sys.stderr)
    rows = [[one.name, *map(statistics.median, zip(*figures[one.key], strict=True))] for one in part]
    title = f"Limits: {options.jobs:,} no-op jobs waiting, one worker process, median of {options.runs} runs"
    columns = ["type", "jobs/s", "server µs a job", "share of no limits"]
    table("limits", title, columns, rows, part, jobs=options.jobs, measured_s=options.seconds, runs=options.runs)


if __name__ == "__main__":
    main()
