"""Contenders measured at the same time, each with a server and a worker of its own: for benches that mostly wait."""

import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.harness.contenders import Contender
from bench.harness.queue_server import until
from bench.harness.stamps import BEGUN, Stamps

STARTS_AT_ONCE = 2
"""As many start interpreters, or are killed and started again, at a time: a start is in a figure, a crowd shall not be."""

Row = Sequence[Any]


def side_by_side(
    contenders: Sequence[Contender], *measures: Callable[[Contender, threading.Semaphore], Row]
) -> list[tuple[Contender, list[Row]]]:
    """Each contender with what each of `measures` answers for it, in order; these hold the semaphore while they start.

    One that fails is named with its reason and left out.
    """
    starts = threading.Semaphore(STARTS_AT_ONCE)
    with ThreadPoolExecutor(len(contenders) * len(measures)) as threads:
        under_way = [(c, [threads.submit(measure, c, starts) for measure in measures]) for c in contenders]
        found = []
        for contender, rows in under_way:
            try:
                found.append((contender, [row.result() for row in rows]))
            except (TimeoutError, subprocess.CalledProcessError) as error:
                print(f"{contender.name}: {error}")
    return found


def busy(contender: Contender, stamps: Stamps, env: dict[str, str], seconds: float) -> None:
    """Return once its worker, which was just started, has run three short jobs and begun one of `seconds`."""
    subprocess.run([*contender.client, "pickup", "3", "0.1"], env=env, check=True)
    until(lambda: stamps.count() >= 3, 60)
    subprocess.run([*contender.client, "long", f"{seconds:g}"], env=env, check=True)
    until(lambda: stamps.times(BEGUN), 60)
