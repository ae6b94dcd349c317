"""The duties and reports by which changes are noticed."""

import contextlib

from redis.exceptions import RedisError

from service.engine.maintenance import Duty
from service.engine.store import Store
from service.lib.async_tasks import pause
from service.monitoring.changes.changes import Changes
from settings import Settings

COMPARE_S = 5.0
"""Interval in which workers and versions are compared with those before."""

MEASURE_S = 20.0
"""Interval in which levels are measured: three times a minute, of which the highest is kept."""

WEB_BEAT_S = 10.0


def change_duties(store: Store, changes: Changes) -> list[Duty]:
    """Duties of maintenance. A queue's server that is away puts them off: its workers have not died with it."""

    async def measure() -> None:
        await changes.levels.measure(await store.counts(), await store.workers())

    return [
        Duty("changes", COMPARE_S, changes.compare, apart=True),
        Duty("levels", MEASURE_S, measure, apart=True),
    ]


async def report_web_forever(changes: Changes, settings: Settings, version: str) -> None:
    """Note the start of this web process with its settings, then report that it is there, until cancelled."""
    recorded = False
    while True:
        with contextlib.suppress(RedisError, OSError):
            if not recorded:
                await changes.settings.started("web", settings)
                recorded = True
            await changes.deploys.web_reported(version)
        await pause(WEB_BEAT_S)


async def report_worker_start(changes: Changes, settings: Settings, queue: str) -> None:
    """Note the start of a worker with its settings. A server that is away costs the note, never the start."""
    with contextlib.suppress(RedisError, OSError):
        await changes.settings.started(f"worker {queue}", settings)
