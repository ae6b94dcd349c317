"""How fast workers clear a backlog of no-op jobs."""

import contextlib
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from redis import Redis

from bench.harness.contenders import Contender
from bench.harness.queue_server import environment, running, server, until
from bench.harness.stamps import Stamps

START_LIMIT_S = 60


class Cleared(NamedTuple):
    """`server_core` is the share of one core that the server used during it, 1.0 for all of it."""

    jobs_per_s: float
    server_core: float


def cleared(contender: Contender, jobs: int, measured_s: float, processes: int = 1) -> Cleared:
    """One run: from the first job's first line until `jobs` ran, or for `measured_s` seconds where they take longer.

    Raises TimeoutError where no job runs at all within a minute.
    """
    with server() as url, tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as workers:
        stamps = Stamps(Path(folder) / "stamps")
        env = environment(url, stamps, folder)
        form = "bulk" if contender.bulk else "single"
        fill = [*contender.client, "fill", str(jobs), form]
        subprocess.run(fill, env=env, check=True, stdout=subprocess.DEVNULL)
        for _ in range(processes):
            workers.enter_context(running(contender.worker, env))
        until(stamps.count, START_LIMIT_S)
        with Redis.from_url(url) as redis:
            used_s = _cpu_s(redis)
            with contextlib.suppress(TimeoutError):
                until(lambda: stamps.count() >= jobs, measured_s)
            used_s = _cpu_s(redis) - used_s
        moments = sorted(begun for _, begun in stamps.rows())
    spent_s = (moments[-1] - moments[0]) / 1e9
    return Cleared((len(moments) - 1) / spent_s, used_s / spent_s)


def _cpu_s(redis: "Redis") -> float:
    used = redis.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])
