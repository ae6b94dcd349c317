"""From the script that ends a job to the jobs that deliver its message: nothing between is lost or doubled."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from redis.exceptions import ConnectionError as RedisAway

from service.engine.job_requests import JobRequest, Step
from service.engine.states import State
from service.engine.store import Job
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.terms import Terms
from service.services import Services
from service.webhooks import keys
from service.webhooks.events import EVENTS
from tests.engine import probe
from tests.waiting import wait_until_async

KNOWN = msgspec.msgpack.encode(["probe-echo"])
URL = "http://127.0.0.1:9/hook"


async def queued(services: Services, owner: str = "acme", **terms: Any) -> str:
    accepted = await services.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner=owner, terms=Terms(**terms))
    return accepted.job_id


async def take(services: Services) -> Job:
    (job,) = (await services.store.claimed(Claim("thumbnails", "w", 1, 60_000, KNOWN))).jobs
    return job


async def end(services: Services, kind: str, **fields: str) -> str:
    """Queue a job and end it as a worker would."""
    await queued(services)
    job = await take(services)
    flat = [word for pair in fields.items() for word in pair]
    assert await services.store.settled([Outcome(job.id, job.queue, job.fence, kind, fields=flat, result='{"n": 1}')])
    return job.id


async def subscribe(services: Services, *events: str, owner: str = "acme") -> str:
    webhook = await services.webhooks.rows.create(owner, URL, events or EVENTS)
    await services.webhooks.dispatcher.sync()
    return webhook.webhook_id


async def log_of(services: Services) -> list[tuple[str | None, str]]:
    """(job, event) of every delivery, oldest first."""
    rows = await services.webhooks.rows.deliveries(limit=100)
    return [(row.job_id, row.event) for row in reversed(rows)]


async def delivery_jobs(services: Services) -> list[Job]:
    return list((await services.store.list(queue="webhooks", limit=100)).jobs)


async def test_every_way_to_end_is_told(services: Services) -> None:
    await subscribe(services)
    done = await end(services, "completed", message="Done")
    broken = await end(services, "failed", error="it went wrong")
    stopped = await queued(services)
    await services.store.cancel(stopped)
    late = await queued(services, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    await services.store.expired(10)
    running = await queued(services)
    job = await take(services)
    await services.store.cancel(running)
    await services.store.settled([Outcome(job.id, job.queue, job.fence, "cancelled")])
    await services.webhooks.dispatcher.dispatch()
    reported = await log_of(services)
    assert sorted(reported, key=str) == sorted(
        [
            (done, "job.completed"),
            (broken, "job.failed"),
            (stopped, "job.cancelled"),
            (late, "job.expired"),
            (running, "job.cancelled"),
        ],
        key=str,
    )
    assert await services.redis.llen(keys.ENDED) == 0
    assert {job.owner for job in await delivery_jobs(services)} == {"webhooks:acme"}


async def test_a_crash_that_makes_a_dead_letter_is_told(services: Services) -> None:
    await subscribe(services, "job.failed")
    job_id = await queued(services)
    for _ in range(3):
        await services.store.claimed(Claim("thumbnails", "w", 1, 1, KNOWN, reap=True))
        await wait_until_async(lambda: _reaped(services, job_id))
    await services.webhooks.dispatcher.dispatch()
    assert await log_of(services) == [(job_id, "job.failed")]


async def _reaped(services: Services, job_id: str) -> bool:
    await services.store.claimed(Claim("thumbnails", "reaper", 0, 1, KNOWN, reap=True))
    job = await services.store.get(job_id)
    assert job is not None
    if job.state is State.RETRYING:
        # Its backoff has passed.
        await services.redis.zadd("thumbnails", {job_id: 1})
        await services.store.claimed(Claim("thumbnails", "reaper", 0, 1, KNOWN, reap=True))
    return job.state is not State.ACTIVE


async def test_the_message_is_the_status_as_it_was_at_the_end(services: Services) -> None:
    job_id = await queued(services, callback_url=URL)
    job = await take(services)
    await services.store.settled([Outcome(job.id, job.queue, job.fence, "failed", fields=["error", "no disk"])])
    await services.store.retry(job_id)
    await services.webhooks.dispatcher.dispatch()
    (row,) = await services.webhooks.rows.deliveries(limit=9)
    message = json.loads(row.body)
    assert message["type"] == "job.failed" and message["timestamp"] == message["data"]["finished_at"]
    assert message["data"]["id"] == job_id and message["data"]["status"] == "failed"
    assert message["data"]["error"] == "no disk" and message["data"]["files"] == []
    assert row.webhook_id is None and row.url == URL


async def test_jobs_without_a_webhook_leave_nothing(services: Services) -> None:
    await subscribe(services, "job.failed")
    await subscribe(services, owner="globex")
    await end(services, "completed")
    assert await services.redis.llen(keys.ENDED) == 0


async def test_what_a_process_was_at_as_it_died_is_done_again_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the rows, and after the jobs: the ends are still noted, and come to the same."""
    await subscribe(services)
    job_id = await end(services, "completed")
    dispatcher = services.webhooks.dispatcher
    queue = dispatcher.queue

    async def die_before(*_: Any, **__: Any) -> None:
        raise RedisAway("killed")

    async def die_after(*given: Any, **named: Any) -> None:
        await queue(*given, **named)
        raise RedisAway("killed")

    for death in (die_before, die_after):
        monkeypatch.setattr(dispatcher, "queue", death)
        with pytest.raises(RedisAway):
            await dispatcher.dispatch()
        assert await services.redis.llen(keys.ENDED) == 1
    monkeypatch.setattr(dispatcher, "queue", queue)
    await dispatcher.dispatch()
    assert await log_of(services) == [(job_id, "job.completed")]
    assert len(await delivery_jobs(services)) == 1


async def test_a_delivery_that_ends_is_told_to_nobody(services: Services) -> None:
    await subscribe(services, owner="webhooks:acme")
    await subscribe(services)
    await end(services, "completed")
    await services.webhooks.dispatcher.dispatch()
    (job,) = await delivery_jobs(services)
    await services.store.cancel(job.id)
    assert await services.redis.llen(keys.ENDED) == 0


async def test_an_end_that_cannot_be_read_does_not_hold_up_the_others(services: Services) -> None:
    await subscribe(services)
    await services.redis.rpush(keys.ENDED, b"\xc1 nonsense")
    job_id = await end(services, "completed")
    await services.webhooks.dispatcher.dispatch()
    assert await log_of(services) == [(job_id, "job.completed")]


async def test_flags_come_back_where_the_queue_server_lost_them(services: Services) -> None:
    await subscribe(services, "job.failed", "job.expired")
    await services.redis.delete(keys.OWNERS)
    await services.webhooks.dispatcher.sync()
    assert await services.redis.hgetall(keys.OWNERS) == {b"acme": b"expired failed"}
    (webhook,) = await services.webhooks.rows.list("acme")
    await services.webhooks.rows.delete(webhook.webhook_id)
    await services.webhooks.dispatcher.sync()
    assert await services.redis.hgetall(keys.OWNERS) == {}


async def test_a_delivery_whose_job_is_gone_gets_another(services: Services) -> None:
    """One that waits is left alone; one whose job an operator cancelled, or that died, ends with it."""
    await subscribe(services)
    for _ in range(3):
        await end(services, "completed")
    await services.webhooks.dispatcher.dispatch()
    lost, waiting, cancelled = await delivery_jobs(services)
    await services.redis.delete(f"offload:job:{lost.id}")
    await services.store.cancel(cancelled.id)
    await services.webhooks.dispatcher.mend()
    assert len(await delivery_jobs(services)) == 2, "nothing is late yet"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        await services.webhooks.dispatcher.mend()
    jobs = {job.id: job.payload["delivery_id"] for job in await delivery_jobs(services)}
    new = [delivery for job_id, delivery in jobs.items() if job_id not in (waiting.id, cancelled.id)]
    assert new == [lost.payload["delivery_id"]]
    row = await services.webhooks.rows.delivery(cancelled.payload["delivery_id"])
    assert (row.state, row.error) == ("failed", "Its job is cancelled: Cancelled")


async def test_the_end_of_a_workflow_is_a_message_to_its_own_url_and_to_webhooks(services: Services) -> None:
    webhook_id = await subscribe(services, "workflow.ended")
    ids = await services.enqueuer.enqueue_workflow(
        [Step("only", JobRequest(probe.probe_echo, probe.Echo()), ())],
        workflow_id="workflow-1",
        owner="acme",
        goes_on=False,
        key="k",
        fingerprint="p",
        callback_url=URL,
    )
    job = await take(services)
    await services.store.settled([Outcome(job.id, job.queue, job.fence, "completed", result="1")])
    await services.webhooks.dispatcher.dispatch()
    rows = await services.webhooks.rows.deliveries(limit=9)
    assert {row.webhook_id for row in rows} == {None, webhook_id}
    assert {(row.job_id, row.event) for row in rows} == {("workflow-1", "workflow.ended")}
    message = json.loads(rows[0].body)
    assert message["type"] == "workflow.ended" and message["timestamp"] == message["data"].pop("finished_at")
    assert message["data"] == {
        "workflow_id": "workflow-1",
        "status": "completed",
        "jobs": {"only": {"job_id": ids["only"], "status": "completed"}},
        "status_url": "/api/workflows/workflow-1",
    }
