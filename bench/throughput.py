"""No-op jobs a second of one worker process, 20,000 waiting, beside the peers in the same run.

Offload keeps record, indexes, attempts, metrics and events while doing so; the peers keep nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.queue_server import RUNS, environment, medians, running, server, table, until
from bench.harness.stamps import Stamps

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000


def run(contender: Contender) -> list[float]:
    """One run: jobs a second between the first and the last first line."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        fill = [contender.python, "-m", "bench.harness.client", contender.client, "fill", str(JOBS), "bulk"]
        subprocess.run(fill, env=env, check=True, stdout=subprocess.DEVNULL)
        with running(contender.worker, env):
            until(lambda: stamps.count() >= JOBS, 300)
        moments = sorted(begun for _, begun in stamps.rows())
    return [(JOBS - 1) / ((moments[JOBS - 1] - moments[0]) / 1e9)]


def main() -> None:
    rows = [[c.name, *medians([run(c) for _ in range(RUNS)])] for c in taking_part()]
    title = f"Throughput: {JOBS:,} no-op jobs, one worker process"
    table("throughput", title, ["queue", "jobs/s"], rows, ["offload", "arq", "redis"])


if __name__ == "__main__":
    main()
