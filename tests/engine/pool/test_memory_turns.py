"""Memory of a pool's tasks: foretold from those before, granted in order, and measured on real children that really allocate."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.pool.cpu_pool import CpuPool
from service.engine.pool.learned_memory import LearnedMemory, TaskMemory
from service.engine.pool.memory_turns import MemoryTurns, default_ceiling_mb
from service.engine.pool.peak_memory import PeakMemory
from service.engine.store import Store
from service.engine.store.script_inputs import Claim
from tasks.sdk.errors import MemoryCeiling
from tests.engine.limited import KNOWN
from tests.engine.pool import work
from tests.engine.store.test_limit_keys import touch
from tests.waiting import wait_until_async

CHILD_MB = 60
"""More than a child of the tests has before it does anything."""


def test_the_next_is_foretold_by_its_units() -> None:
    memory = PeakMemory()
    assert memory.foretold_mb(1) is None
    for units in (10, 40, 20, 30, 10, 40) * 3:
        memory.observe(units, 100 + 5 * units)
    assert 1_080 <= (memory.foretold_mb(200) or 0) <= 1_250, "a size that was never seen"
    assert 150 <= (memory.foretold_mb(10) or 0) <= 190


def test_the_spread_stands_on_top_and_a_new_release_is_learned() -> None:
    even, uneven = PeakMemory(), PeakMemory()
    for n in range(30):
        even.observe(1, 300)
        uneven.observe(1, 200 if n % 2 else 400)
    assert even.foretold_mb(1) == 315
    assert (uneven.foretold_mb(1) or 0) > 450
    for _ in range(30):
        even.observe(1, 600)
    assert (even.foretold_mb(1) or 0) > 600


async def test_a_large_task_gets_its_turn_and_none_overtakes_it() -> None:
    turns, order = MemoryTurns(100), []

    async def take(name: str, mb: int, go: asyncio.Event) -> None:
        async with turns.of(mb):
            order.append(name)
            await go.wait()

    first, rest = asyncio.Event(), asyncio.Event()
    rest.set()
    tasks = [asyncio.create_task(take("small", 60, first))]
    tasks += [asyncio.create_task(take(name, mb, rest)) for name, mb in (("large", 5_000), ("late", 10))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (order, len(turns.waiting), turns.granted_mb) == (["small"], 2, 60), (
        "10 would fit, and waits behind the large"
    )
    tasks[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["small", "late"], "one that is cancelled keeps no other waiting"
    tasks.append(asyncio.create_task(take("large", 5_000, rest)))
    first.set()
    await asyncio.wait(tasks)
    assert order == ["small", "late", "large"] and turns.granted_mb == 0


def test_the_machine_sets_the_ceiling() -> None:
    assert 0 < default_ceiling_mb() < 64_000_000


@pytest.fixture
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, pool_mb=400, child_mb=CHILD_MB)
    yield pool
    await pool.close()


async def test_two_that_do_not_fit_together_run_one_after_the_other(pool: CpuPool, tmp_path: Path) -> None:
    memories = [TaskMemory(expected_mb=250), TaskMemory(expected_mb=250)]
    tasks = [
        asyncio.create_task(pool.run(work.hold, 150, tmp_path / f"at{n}", tmp_path / f"go{n}", memory=memory))
        for n, memory in enumerate(memories)
    ]
    await wait_until_async((tmp_path / "at0").exists)
    assert len(pool.memory.waiting) == 1 and len(pool.pids()) == 1
    assert await pool_ends(tasks[0], tmp_path / "go0") == 150 << 20
    await wait_until_async((tmp_path / "at1").exists)
    assert await pool_ends(tasks[1], tmp_path / "go1") == 150 << 20
    assert all(150 <= memory.peak_mb < 250 for memory in memories), "what the child really had"
    small = TaskMemory()
    await pool.run(work.double, 2, memory=small)
    assert 0 < small.peak_mb < 150, "the peak of one task is not that of the one before"


async def pool_ends(task: "asyncio.Task[int]", go: Path) -> int:
    go.touch()
    return await task


async def test_one_that_outgrows_its_share_is_tried_alone_with_more(pool: CpuPool, tmp_path: Path) -> None:
    other = TaskMemory(expected_mb=250)
    bystander = asyncio.create_task(pool.run(work.hold, 20, tmp_path / "at", tmp_path / "go", memory=other))
    await wait_until_async((tmp_path / "at").exists)
    memory = TaskMemory(expected_mb=CHILD_MB)
    growing = asyncio.create_task(pool.run(work.grow, 200, memory=memory))
    await wait_until_async(lambda: memory.outgrew)
    assert memory.limit_mb == 150 and "over its ceiling of 150 MB; tried again alone, with 400 MB" in memory.outgrew
    assert not growing.done() and len(pool.memory.waiting) == 1
    assert await pool_ends(bystander, tmp_path / "go") == 20 << 20, "the other one goes on"
    assert await growing == 200 and memory.peak_mb >= 200 and pool.tried_alone == 1


async def test_one_that_outgrows_the_whole_pool_fails_with_a_sentence(pool: CpuPool) -> None:
    with pytest.raises(MemoryCeiling, match="over its ceiling of 400 MB"):
        await pool.run(work.grow, 2_000)
    assert pool.tried_alone == 0, "it ran alone, with all that there is"
    assert await pool.run(work.double, 2) == 4


async def test_a_warm_child_makes_room(pool: CpuPool, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    waiting = asyncio.create_task(pool.run(work.hold, 20, tmp_path / "a", tmp_path / "later"))
    await wait_until_async((tmp_path / "a").exists)
    await pool.run(work.double, 2)
    assert len(pool.pids()) == 2
    (tmp_path / "later").touch()
    await waiting
    await pool.run(work.hold, 250, tmp_path / "b", tmp_path / "go", memory=TaskMemory(expected_mb=390))
    assert len(pool.pids()) == 1


async def test_what_a_call_took_is_known_to_every_worker_and_said_in_the_log(
    store: Store, enqueuer: Enqueuer, pool: CpuPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.queued([touch("1", "acme")])
    (job,) = (await store.claimed(Claim("thumbnails", "w", 1, 60_000, KNOWN))).jobs
    here = LearnedMemory(store)
    (tmp_path / "go").touch()
    async with here.measured(job, "hold") as memory:
        assert memory.expected_mb is None
        await pool.run(work.hold, 150, tmp_path / "at", tmp_path / "go", memory=memory)
    there = await LearnedMemory(store).expected(job.type, "hold", 0)
    assert 150 <= (there.expected_mb or 0) <= 250
    with pytest.raises(MemoryCeiling):
        async with here.measured(job, "grow") as memory:
            memory.outgrew = "used 61 MB of memory"
            memory.peak_mb = 61
            raise MemoryCeiling("used 401 MB of memory")
    assert "job.tried_alone" in capsys.readouterr().out
    assert (await LearnedMemory(store).expected(job.type, "grow", 0)).expected_mb


async def test_all_that_are_cancelled_at_once_end_as_cancelled_and_leave_no_memory_granted() -> None:
    turns, entered = MemoryTurns(100), asyncio.Event()

    async def one() -> None:
        async with turns.of(80):
            entered.set()
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(one()) for _ in range(4)]
    await entered.wait()
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 4
    assert turns.granted_mb == 0 and not turns.waiting
