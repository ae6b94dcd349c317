"""The watching parts over a real server, without processes of their own: a test decides when they look."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import connect
from service.engine.schedules import Schedules
from service.engine.store import Job, Store
from service.engine.store.script_inputs import Claim, Outcome
from service.monitoring.alerts import Alerts
from service.monitoring.alerts.evaluation import Evaluation
from service.monitoring.alerts.measures import Measures
from service.monitoring.metrics import Metrics
from settings import Settings, load_settings
from tests.engine import probe

KNOWN = msgspec.msgpack.encode(
    ["probe-echo", "probe-steps", "probe-trouble", "pdf-ocr", "email-batch", "csv-export", "thumbnails"]
)


@dataclass
class Parts:
    """Open parts of one installation."""

    settings: Settings
    store: Store
    enqueuer: Enqueuer
    metrics: Metrics
    schedules: Schedules
    alerts: Alerts

    @property
    def evaluation(self) -> Evaluation:
        return Evaluation(self.alerts, Measures(self.settings, self.store, self.metrics, self.schedules))

    async def echo(self, count: int = 1) -> list[str]:
        """Queue jobs that do nothing."""
        return await self.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * count, owner="acme")

    async def claim(self, count: int = 1, queue: str = "thumbnails") -> list[Job]:
        """Start jobs as a worker would."""
        return (await self.store.claimed(Claim(queue, "w", count, 60_000, KNOWN))).jobs

    async def end(self, job: Job, kind: str = "completed", *, run_ms: int = 10, attempt: str = "") -> None:
        """End a job's attempt."""
        entry = {"number": 1, "worker": "w", "outcome": attempt} if attempt else False
        fields = ["error", "it went wrong", "fingerprint", "f"] if kind == "failed" else []
        outcome = Outcome(
            job.id, job.queue, job.fence, kind, fields=fields, run_ms=run_ms, units=job.units, attempt=entry
        )
        assert await self.store.settled([outcome]) == [kind]


@pytest.fixture
async def parts(settings_env: dict[str, str]) -> AsyncIterator[Parts]:
    settings = load_settings()
    redis = connect(settings_env["OFFLOAD_REDIS_URL"])
    store = Store(redis)
    enqueuer = Enqueuer(store, settings.queues)
    yield Parts(settings, store, enqueuer, Metrics(redis), Schedules(store, enqueuer), Alerts(settings, redis))
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)
