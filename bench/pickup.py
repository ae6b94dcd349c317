"""From the call that enqueues to the first line of the task, on an idle worker, beside the peers in the same run.

A row is the median over runs of each run's percentiles: 200 jobs, one every 20 ms, client and worker on one machine.
"""

import subprocess
import tempfile
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.queue_server import RUNS, environment, medians, running, server, table, until
from bench.harness.stamps import Stamps

JOBS, PAUSE_S = 200, 0.02


def run(contender: Contender) -> list[float]:
    """One run: p50, p95 and maximum in milliseconds."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        command = [contender.python, "-m", "bench.harness.client", contender.client, "pickup"]
        with running(contender.worker, env):
            # The first job meets a worker that is still starting; it and its like are not measured.
            subprocess.run([*command, "5", "0.1"], env=env, check=True)
            until(lambda: stamps.count() >= 5, 60)
            stamps.path.write_bytes(b"")
            subprocess.run([*command, str(JOBS), str(PAUSE_S)], env=env, check=True)
            until(lambda: stamps.count() >= JOBS, 60)
        waits_ms = sorted((begun - enqueued) / 1e6 for enqueued, begun in stamps.rows())
    return [waits_ms[len(waits_ms) // 2], waits_ms[int(len(waits_ms) * 0.95)], waits_ms[-1]]


def main() -> None:
    rows = [[c.name, *medians([run(c) for _ in range(RUNS)])] for c in taking_part()]
    columns = ["queue", "p50 ms", "p95 ms", "max ms"]
    table("pickup", "Pickup: enqueue to first line, idle worker", columns, rows, ["offload", "arq", "redis"])


if __name__ == "__main__":
    main()
