"""No-op jobs a second of one worker process, 20,000 waiting, compared with the peers in the same run.

Each run ends when all have run, or some seconds after the first did: the rate is of what ran in that time.
Offload keeps record, indexes, attempts, metrics and events while doing so; the peers keep nothing.
"""

from bench.harness.backlog import cleared
from bench.harness.contenders import Contender, taking_part
from bench.harness.options import in_turns, parser
from bench.harness.report import table


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--jobs", type=int, default=20_000, help="waiting when the worker starts (default 20000)")
    arguments.add_argument("--seconds", type=float, default=5, help="measured at most, for each run (default 5)")
    options = arguments.parse_args()

    def run(contender: Contender) -> list[float]:
        return [cleared(contender, options.jobs, options.seconds).jobs_per_s]

    found = in_turns(taking_part(options.only), options.runs, run)
    rows = [[contender.name, *figures] for contender, figures in found]
    settings = {"jobs": options.jobs, "measured_s": options.seconds, "runs": options.runs}
    title = f"Throughput: {options.jobs:,} no-op jobs waiting, one worker process, median of {options.runs} runs"
    table("throughput", title, ["queue", "jobs/s"], rows, [c for c, _ in found], **settings)


if __name__ == "__main__":
    main()
