"""A worker whose clock is wrong by twenty minutes: backoff, times and alerts go by the queue server's."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import Installation
from tests.waiting import wait_until_async

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
JOBS = 40


@pytest.mark.skipif(LIBRARY is None and not os.environ.get("CI"), reason="libfaketime is not installed here")
@pytest.mark.parametrize("shift", ["+1200s", "-1200s"])
async def test_a_workers_clock_is_off(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, shift: str
) -> None:
    installation = install(OFFLOAD_REDIS_URL=queue_server.url)
    installation.start_web()
    installation.start_worker(LD_PRELOAD=str(LIBRARY), FAKETIME=shift, FAKETIME_DONT_FAKE_MONOTONIC="1")
    await installation.send(JOBS, pace_s=0, kind="stumble")
    row = await installation.count(f"a worker's clock {shift}")
    assert (row.jobs, row.lost, row.twice, row.stuck) == (JOBS, 0, 0, 0)
    async with installation.client() as client:
        job = (await client.get(f"/api/jobs/{next(iter(installation.accepted.values()))}")).json()
        for attempt in job["attempts"]:
            took = _moment(attempt["finished_at"]) - _moment(attempt["started_at"])
            assert 0 <= took.total_seconds() < 60

        async def healthy() -> bool:
            found = (await client.get("/workers/health")).json()
            return bool(found["workers"]) and found["workers"][0]["heartbeat_age_seconds"] < 15

        await wait_until_async(healthy)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
