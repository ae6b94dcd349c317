"""No-op jobs a second with 1, 2 and 4 worker processes on one machine, and what the queue server pays for them.

`--only` names contenders; without it Offload alone. The last column is where one server ends: a million microseconds
are a second of its one core.
"""

import os

from bench.harness.backlog import cleared
from bench.harness.contenders import CONTENDERS, Contender, taking_part
from bench.harness.options import in_turns, parser
from bench.harness.report import table

PROCESSES = [1, 2, 4]


def main() -> None:
    arguments = parser(__doc__)
    arguments.set_defaults(only=[c for c in CONTENDERS if c.key == "offload"])
    arguments.add_argument("--jobs", type=int, default=40_000, help="waiting when the workers start (default 40000)")
    arguments.add_argument("--seconds", type=float, default=10, help="measured at most, for each run (default 10)")
    options = arguments.parse_args()
    rows, part = [], taking_part(options.only)
    for processes in PROCESSES:

        def run(contender: Contender, processes: int = processes) -> list[float]:
            found = cleared(contender, options.jobs, options.seconds, processes)
            return [found.jobs_per_s, 100 * found.server_core, 1e6 * found.server_core / found.jobs_per_s]

        rows += [[contender.name, processes, *row] for contender, row in in_turns(part, options.runs, run)]
    title = f"Workers: {options.jobs:,} no-op jobs waiting, {os.cpu_count()} cores, median of {options.runs} runs"
    columns = ["queue", "worker processes", "jobs/s", "server, % of a core", "server µs a job"]
    settings = {"jobs": options.jobs, "measured_s": options.seconds, "runs": options.runs, "cores": os.cpu_count()}
    table("workers", title, columns, rows, part, **settings)


if __name__ == "__main__":
    main()
