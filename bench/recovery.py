"""Seconds from kill -9 of a worker in the middle of a 60 s job to the job running again on a worker started at once.

Each contender has 75 s; one that has not started again by then has not recovered in this bench. They wait side by side.
"""

import contextlib
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from redis import Redis

from bench.harness.contenders import Contender, taking_part
from bench.harness.options import parser
from bench.harness.queue_server import environment, kill_family, running, server, until
from bench.harness.report import table
from bench.harness.side_by_side import busy, side_by_side
from bench.harness.stamps import BEGUN, Stamps

BUSY_S, LIMIT_S = 60, 75

SETTLED_S = 15
"""The server has been up this long: after a restart Offload calls no lease expired before all could be renewed."""


def run(contender: Contender, starts: threading.Semaphore) -> list[float | str]:
    """Seconds until the job's first line ran for the second time."""
    with server() as url, tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as second:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        with starts, running(contender.worker, env) as first:
            busy(contender, stamps, env, BUSY_S)
            with Redis.from_url(url) as redis:
                until(lambda: redis.info("server")["uptime_in_seconds"] >= SETTLED_S, 2 * SETTLED_S)
            kill_family(first)
            killed_ns = time.monotonic_ns()
            second.enter_context(running(contender.worker, env))
            # One short job more, so that the next contender starts when this one's worker has.
            subprocess.run([*contender.client, "pickup", "1", "0"], env=env, check=True)
            with contextlib.suppress(TimeoutError):
                until(lambda: stamps.count() >= 5, LIMIT_S)
        left_s = LIMIT_S - (time.monotonic_ns() - killed_ns) / 1e9
        with contextlib.suppress(TimeoutError):
            until(lambda: len(stamps.times(BEGUN)) > 1, left_s)
        begun = stamps.times(BEGUN)
    return [(begun[1] - killed_ns) / 1e9 if len(begun) > 1 else f"not within {LIMIT_S} s"]


def main() -> None:
    options = parser(__doc__).parse_args()
    # Another polling interval changes nothing here.
    found = side_by_side(taking_part([c for c in options.only if c.key != "arq-5ms"]), run)
    rows = [[contender.name, *row] for contender, (row,) in found]
    title = f"Recovery: kill -9 in the middle of a {BUSY_S} s job, new worker at once"
    table("recovery", title, ["queue", "seconds"], rows, [c for c, _ in found], busy_s=BUSY_S, limit_s=LIMIT_S)


if __name__ == "__main__":
    main()
