"""External services: bounded over every process that uses them, and given back by those that die."""

import asyncio

import pytest

from service.engine import service_keys as keys
from service.engine.external_services import LEASE_MS, ServiceGate, bounds_of
from service.engine.rate_limiter import RateLimiter
from service.engine.redis.client import Client
from service.engine.store.keys import permits
from settings.queues import QUEUE_TABLE, Queue
from settings.services import ServiceLimits
from tests.waiting import wait_until_async


def gate(client: Client, **bounds: int) -> ServiceGate:
    """A gate of one process."""
    return ServiceGate(client, {"crm": ServiceLimits(**bounds)} if bounds else {}, QUEUE_TABLE)


async def test_no_more_uses_at_once_than_may_be_over_all_processes(client: Client) -> None:
    gates, under_way, most, done = [gate(client, at_once=3) for _ in range(4)], 0, 0, 0

    async def work(number: int) -> None:
        nonlocal under_way, most, done
        async with gates[number % 4].use("crm", f"job-{number}"):
            under_way += 1
            most = max(most, under_way)
            await client.ping()
            under_way -= 1
            done += 1

    await asyncio.gather(*(work(number) for number in range(20)))
    assert (most <= 3, done, await client.zcard(keys.service("crm"))) == (True, 20, 0)


async def test_a_use_waits_for_another_to_end_and_the_page_counts_both(client: Client) -> None:
    here, there = gate(client, at_once=1), gate(client, at_once=1)
    entered = asyncio.Event()

    async def second() -> None:
        async with there.use("crm", "job-2"):
            entered.set()

    async with here.use("crm", "job-1"):
        waiting = asyncio.create_task(second())

        async def seen() -> bool:
            (crm, _) = await here.list()
            return (crm.under_way, crm.waiting) == (1, 1)

        await wait_until_async(seen)
        assert not entered.is_set()
    await asyncio.wait_for(waiting, 30)
    (crm, smtp) = await here.list()
    assert (crm.name, crm.bounds.at_once, crm.under_way, crm.waiting) == ("crm", 1, 0, 0)
    assert smtp.bounds.rate_per_minute == 100


async def test_a_rate_is_one_over_all_processes(client: Client) -> None:
    here, there = gate(client, rate_per_minute=600), gate(client, rate_per_minute=600)
    seconds, micros = await client.time()
    for number in range(3):
        for one in (here, there):
            async with one.use("crm", f"job-{number}"):
                pass
    later_seconds, later_micros = await client.time()
    passed_us = (later_seconds - seconds) * 1_000_000 + later_micros - micros
    assert passed_us >= 5 * 61_000_000 / 600


async def test_a_process_that_died_gives_its_use_back(client: Client) -> None:
    await client.zadd(keys.service("crm"), {"a killed worker's": 1})
    async with gate(client, at_once=1).use("crm", "job-1"):
        assert await client.zcard(keys.service("crm")) == 1
        assert LEASE_MS - 5_000 < await client.pttl(keys.service("crm")) <= LEASE_MS


async def test_a_use_that_goes_on_is_renewed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.engine.external_services.RENEW_S", 0.01)
    async with gate(client, at_once=1).use("crm", "job-1"):
        (holder, until) = (await client.zrange(keys.service("crm"), 0, 0, withscores=True))[0]

        async def renewed() -> bool:
            return bool((await client.zscore(keys.service("crm"), holder) or 0) > until)

        await wait_until_async(renewed)
    assert await client.zcard(keys.service("crm")) == 0


async def test_waiting_can_be_cancelled_and_leaves_nothing(client: Client) -> None:
    one = gate(client, at_once=1)

    async def wait() -> None:
        async with one.use("crm", "job-2"):
            raise AssertionError("the service is taken")

    async with one.use("crm", "job-1"):
        waiting = asyncio.create_task(wait())

        async def waits() -> bool:
            return bool(await client.zcard(keys.service_waiting("crm")))

        await wait_until_async(waits)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await client.zcard(keys.service_waiting("crm")) == 0
    async with one.use("crm", "job-3"):
        pass


async def test_a_service_without_a_setting_is_bounded_by_nothing_and_counted(client: Client) -> None:
    one = gate(client)
    async with one.use("geo-coder", "job-1"), one.use("geo-coder", "job-1"), one.use("geo-coder", "job-2"):
        (geo, _) = await one.list()
        assert (geo.name, geo.bounds, geo.under_way) == ("geo-coder", ServiceLimits(), 3)
    assert sum([int(await client.get(key)) async for key in client.scan_iter("offload:service-used:geo-coder:*")]) == 3


async def test_mail_of_any_job_type_shares_the_rate_of_campaigns(client: Client) -> None:
    await RateLimiter(client, str(Queue.EMAIL_SENDER), 100).permit()
    taken = await client.get(permits("email-sender"))
    async with gate(client).use("smtp", "job-1"):
        assert int(await client.get(permits("email-sender"))) >= int(taken) + 610_000
    assert bounds_of("smtp", {"smtp": ServiceLimits(at_once=2)}, QUEUE_TABLE) == ServiceLimits(
        rate_per_minute=100, at_once=2
    )
