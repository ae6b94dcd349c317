"""A worker whose clock is wrong by twenty minutes: backoff, times and alerts go by the queue server's."""

from collections.abc import Callable
from datetime import datetime

import pytest

from service.engine.redis.client import connect
from service.supervisor.valkey import EmbeddedValkey
from tests.monitoring.receiver import Receiver, receiving
from tests.production.harness import Installation
from tests.production.needs import need_faketime
from tests.waiting import wait_until_async

JOBS = 40


@pytest.mark.parametrize("shift", ["+1200s", "-1200s"])
async def test_a_workers_clock_is_off(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, shift: str
) -> None:
    async with receiving() as receiver:
        installation = install(
            OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_PAGER_WEBHOOK_URL=f"{receiver.url}/v2/enqueue?routing_key=key-1"
        )
        # The first of all, so that it is elected, and measures the alert rules by its clock.
        installation.start_worker(LD_PRELOAD=need_faketime(), FAKETIME=shift, FAKETIME_DONT_FAKE_MONOTONIC="1")
        installation.start_web()
        await check_jobs(installation, shift)
        await check_pages(receiver, queue_server.url)


async def check_pages(receiver: Receiver, url: str) -> None:
    """Pages of what is wrong, and of nothing else: a full queue server is, and shows that the rules are measured."""

    def paged() -> set[str]:
        return {event["dedup_key"] for event in receiver.bodies("/v2/enqueue")}

    client = connect(url)
    await client.config_set("maxmemory", round((await client.info("memory"))["used_memory"] / 0.9))
    await wait_until_async(paged)
    await client.aclose(close_connection_pool=True)
    assert {key.partition("|")[0] for key in paged()} == {"offload:redis-memory"}


async def check_jobs(installation: Installation, shift: str) -> None:
    """Jobs that fail once and are tried again, their times, and the worker's own health."""
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
