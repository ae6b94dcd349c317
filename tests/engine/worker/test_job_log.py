"""What a task logs is kept with its job: bounded, masked, and gone with it."""

import asyncio
from collections.abc import Iterator

import pytest
import structlog

from service.engine.store import keys
from service.engine.worker.job_log import LINES_MAX, MASK, TEXT_MAX, JobLog, capture
from tests.parts import Parts


@pytest.fixture(autouse=True)
def captured_logs() -> Iterator[None]:
    """Only the processors that matter here, writing nowhere."""

    def nowhere(*_: object) -> None:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture, nowhere], cache_logger_on_first_use=False
    )
    yield
    structlog.configure(**before)


async def job_log(parts: Parts, personal: frozenset[str] = frozenset()) -> JobLog:
    await parts.echo()
    (job,) = await parts.claim()
    return JobLog(parts.store, job, personal)


async def test_lines_carry_the_attempt_and_come_back_in_order(parts: Parts) -> None:
    lines, log = await job_log(parts), structlog.get_logger("anything")
    with lines:
        assert capture(None, "info", {"event": "begun"}) == {"event": "begun", "job": lines.job.id, "attempt": 1}
        await asyncio.to_thread(log.info, "page read", page=3)
        await asyncio.create_task(asyncio.to_thread(log.warning, "slow", seconds=1.5))
    log.info("after the job")
    await lines.close()
    found = await parts.store.log(lines.job.id)
    assert [(line.level, line.attempt, line.event, line.fields) for line in found] == [
        ("info", 1, "begun", {}),
        ("info", 1, "page read", {"page": "3"}),
        ("warning", 1, "slow", {"seconds": "1.5"}),
    ]


async def test_a_log_stays_small_and_tells_nothing_personal(parts: Parts) -> None:
    lines, log = await job_log(parts, frozenset({"user_ids"})), structlog.get_logger("anything")
    with lines:
        for number in range(LINES_MAX + 50):
            log.info("line", number=number)
        log.info("x" * 100_000, user_ids=[1, 2, 3])
    await lines.close()
    found = await parts.store.log(lines.job.id)
    assert len(found) == LINES_MAX and found[0].fields == {"number": "51"}
    assert len(found[-1].event) == TEXT_MAX + 1 and found[-1].fields == {"user_ids": MASK}


async def test_a_log_goes_with_its_job_and_never_outlives_it(parts: Parts) -> None:
    lines = await job_log(parts)
    with lines:
        structlog.get_logger("anything").info("before")
    await lines.flush()
    assert await parts.store.redis.exists(keys.log(lines.job.id))
    await parts.end(lines.job)
    await parts.store.purged([lines.job.id])
    late = JobLog(parts.store, lines.job, frozenset())
    with late:
        structlog.get_logger("anything").info("too late")
    await late.close()
    assert not await parts.store.redis.exists(keys.log(lines.job.id))
