"""From the call that enqueues to the first line of the task, on an idle worker, compared with the peers in the same run.

A row is the median over runs of each run's percentiles: 200 jobs, one every 20 ms, client and worker on one machine.
"""

import subprocess
import tempfile
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.options import in_turns, parser
from bench.harness.queue_server import environment, running, server, until
from bench.harness.report import table
from bench.harness.stamps import Stamps

JOBS, PAUSE_S = 200, 0.02


def run(contender: Contender) -> list[float]:
    """One run: p50, p95 and maximum in milliseconds."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        command = [*contender.client, "pickup"]
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
    options = parser(__doc__).parse_args()
    found = in_turns(taking_part(options.only), options.runs, run)
    rows = [[contender.name, *figures] for contender, figures in found]
    title = f"Pickup: enqueue to first line, idle worker; {JOBS} jobs, median of {options.runs} runs"
    columns = ["queue", "p50 ms", "p95 ms", "max ms"]
    table("pickup", title, columns, rows, [c for c, _ in found], jobs=JOBS, pause_s=PAUSE_S, runs=options.runs)


if __name__ == "__main__":
    main()
