"""CPU time of an attempt: its steps on the loop, its child in the pool, its programs, whether they return or are killed."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.pool.cpu_pool import CpuPool
from service.engine.worker.cpu_meter import CpuMeter
from tasks.sdk.errors import ChildDied
from tasks.sdk.program import run_program
from tests.engine.pool import work


@pytest.fixture
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, memory_mb=256, name="metered")
    yield pool
    await pool.close()


def burnt_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def test_steps_on_the_loop_count_and_waits_do_not() -> None:
    meter = CpuMeter()

    async def task() -> str:
        before_s = burnt_s()
        while burnt_s() < before_s + 0.05:
            sum(range(1_000))
        with pytest.raises(ValueError, match="went wrong"):
            await failing()
        await asyncio.sleep(0)
        return "done"

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("went wrong")

    async def other() -> None:
        before_s = burnt_s()
        while burnt_s() < before_s + 0.3:  # noqa: ASYNC110  # steps of another task, in turn
            await asyncio.sleep(0)

    result, _ = await asyncio.gather(meter.metered(task()), other())
    assert result == "done" and 45 <= meter.ms < 250


async def test_a_cancelled_task_is_cancelled_where_it_waits() -> None:
    meter, cleaned = CpuMeter(), asyncio.Event()

    async def task() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    async def run() -> None:
        await meter.metered(task())

    running = asyncio.create_task(run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned.is_set()


async def test_a_child_s_time_counts_when_it_returns_raises_or_is_killed(pool: CpuPool) -> None:
    meter = CpuMeter()
    with meter.part() as part:
        spent_s = await pool.run(work.burn, 0.1, on_cpu=part)
    assert spent_s * 1000 - 5 <= meter.ms <= spent_s * 1000 + 100
    first_ms = meter.ms
    with meter.part() as part, pytest.raises(ValueError, match="burnt"):
        await pool.run(work.burn_and_fail, 0.1, on_cpu=part)
    assert meter.ms >= first_ms + 95
    second_ms = meter.ms
    with meter.part() as part, pytest.raises(ChildDied):
        await pool.run(work.burn_and_crash, 0.4, on_cpu=part)
    assert meter.ms > second_ms, "what was seen before it died"
    third_ms = meter.ms
    with meter.part() as part, pytest.raises(TimeoutError):
        await pool.run(work.burn, 600.0, timeout_s=0.5, on_cpu=part)
    assert meter.ms > third_ms


async def test_a_program_s_time_counts(tmp_path: Path) -> None:
    meter = CpuMeter()
    burning = "import time\nwhile time.process_time() < 0.5: pass"
    with meter.part() as part:
        await run_program([sys.executable, "-c", burning], tmp_path, on_cpu=part)
    assert 0 < meter.ms <= 700
