"""Seconds from kill -9 of a worker in the middle of a 60 s job to the job running again on a worker started at once.

Each contender has 75 s; one that has not started again by then has not recovered in this bench.
"""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from bench.harness.contenders import Contender, taking_part
from bench.harness.queue_server import environment, running, server, table, until
from bench.harness.stamps import Stamps

BUSY_S, LIMIT_S = 60, 75


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """kill -9 of the worker and of whatever it started, as when their machine dies."""
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        os.kill(one.pid, signal.SIGKILL)
    process.wait()


def run(contender: Contender) -> float | str:
    with server() as url, tempfile.TemporaryDirectory() as folder:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        with running(contender.worker, env) as first:
            subprocess.run(
                [contender.python, "-m", "bench.harness.client", contender.client, "long", str(BUSY_S)], env=env
            )
            until(lambda: stamps.count() == 1, 60)
            kill_family(first)
            killed_s = time.monotonic()
            with running(contender.worker, env):
                try:
                    until(lambda: stamps.count() == 2, LIMIT_S)
                except TimeoutError:
                    return f"not within {LIMIT_S} s"
                return time.monotonic() - killed_s


def main() -> None:
    rows = [[c.name, run(c)] for c in taking_part() if "5 ms" not in c.name]
    title = f"Recovery: kill -9 in the middle of a {BUSY_S} s job, new worker at once"
    table("recovery", title, ["queue", "seconds"], rows, ["offload", "arq", "redis"])


if __name__ == "__main__":
    main()
