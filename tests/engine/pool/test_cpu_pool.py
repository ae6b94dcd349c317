"""The pool with real children, really killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from service.engine.pool.cpu_pool import CpuPool
from tasks.sdk.errors import ChildDied, MemoryCeiling
from tests.engine.pool import work
from tests.memory_groups import limited_group
from tests.waiting import wait_until_async


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, name="test")
    yield pool
    await pool.close()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_task_runs_in_another_process(pool: CpuPool) -> None:
    assert await pool.run(work.double, 21) == 42
    assert await pool.run(work.own_pid) in pool.pids()
    assert os.getpid() not in pool.pids()


async def test_children_yield_to_the_process_that_has_them() -> None:
    pool = CpuPool(1, name="yielding", niceness=7)
    try:
        assert await pool.run(os.getpriority, os.PRIO_PROCESS, 0) == os.getpriority(os.PRIO_PROCESS, 0) + 7
    finally:
        await pool.close()


async def test_the_functions_own_error_comes_back_and_the_child_stays(pool: CpuPool) -> None:
    before = await pool.run(work.own_pid)
    with pytest.raises(ValueError, match="page 7 is torn"):
        await pool.run(work.fail, "page 7 is torn")
    assert await pool.run(work.own_pid) == before


async def test_what_libraries_say_of_a_document_is_not_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    pool = CpuPool(1, name="quiet")
    try:
        await pool.run(work.complain, "tag 12 of the document is torn")
    finally:
        await pool.close()
    assert "torn" not in "".join(capfd.readouterr())


async def test_an_error_that_cannot_be_read_back_still_arrives(pool: CpuPool) -> None:
    with pytest.raises(RuntimeError, match="StubbornError: noway"):
        await pool.run(work.fail_stubbornly)


async def test_a_timeout_kills_the_child_and_only_that_child(pool: CpuPool, tmp_path: Path) -> None:
    bystander = asyncio.create_task(pool.run(work.wait_for_file, tmp_path / "go"))
    with pytest.raises(TimeoutError, match=r"limit of 0\.3 s"):
        await pool.run(work.mark_and_hang, tmp_path / "pid", timeout_s=0.3)
    victim = int((tmp_path / "pid").read_text())
    await wait_until_async(lambda: gone(victim))
    (tmp_path / "go").touch()
    assert await bystander != victim
    assert await pool.run(work.double, 2) == 4


async def test_time_in_the_queue_does_not_count(tmp_path: Path) -> None:
    pool = CpuPool(1)
    try:
        first = asyncio.create_task(pool.run(work.wait_for_file, tmp_path / "go"))
        await wait_until_async(pool.pids)
        second = asyncio.create_task(pool.run(work.double, 3, timeout_s=0.5))
        released = asyncio.get_running_loop().call_later(1, (tmp_path / "go").touch)
        assert await second == 6
        assert released.when() <= asyncio.get_running_loop().time()
        await first
    finally:
        await pool.close()


async def test_cancelling_the_caller_kills_the_child(pool: CpuPool, tmp_path: Path) -> None:
    task = asyncio.create_task(pool.run(work.mark_and_hang, tmp_path / "pid"))
    await wait_until_async((tmp_path / "pid").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until_async(lambda: gone(int((tmp_path / "pid").read_text())))
    assert await pool.run(work.double, 2) == 4


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_child_killed_from_outside_costs_its_own_task_only(
    pool: CpuPool, tmp_path: Path, signal_number: int
) -> None:
    bystander = asyncio.create_task(pool.run(work.wait_for_file, tmp_path / "go"))
    task = asyncio.create_task(pool.run(work.mark_and_hang, tmp_path / "pid"))
    await wait_until_async((tmp_path / "pid").exists)
    os.kill(int((tmp_path / "pid").read_text()), signal_number)
    with pytest.raises(ChildDied, match=signal.Signals(signal_number).name):
        await task
    (tmp_path / "go").touch()
    assert await bystander
    assert await pool.run(work.double, 2) == 4


async def test_an_idle_child_killed_from_outside_costs_nothing(pool: CpuPool) -> None:
    pid = await pool.run(work.own_pid)
    os.kill(pid, signal.SIGKILL)
    await wait_until_async(lambda: gone(pid))
    assert await pool.run(work.double, 2) == 4
    assert pid not in pool.pids()


async def test_many_crashes_in_a_row_leave_the_pool_whole(pool: CpuPool) -> None:
    outcomes = await asyncio.gather(
        *(pool.run(work.crash) if i % 3 == 0 else pool.run(work.double, i) for i in range(9)), return_exceptions=True
    )
    assert [isinstance(outcome, ChildDied) for outcome in outcomes] == [i % 3 == 0 for i in range(9)]
    assert [outcomes[i] for i in range(9) if i % 3] == [2 * i for i in range(9) if i % 3]


async def test_a_child_that_leaves_by_itself_is_a_dead_child(pool: CpuPool) -> None:
    with pytest.raises(ChildDied, match="exit code 3"):
        await pool.run(work.leave, 3)


async def test_a_child_over_its_memory_ceiling_is_killed() -> None:
    pool = CpuPool(1, memory_mb=120)
    try:
        # Twice as much when it is tried once more, alone.
        with pytest.raises(MemoryCeiling, match="over its ceiling of 240 MB, although it ran alone"):
            await pool.run(work.grow, 2000)
        assert await pool.run(work.double, 2) == 4
    finally:
        await pool.close()


async def test_memory_that_the_system_refuses_is_named_as_the_cause() -> None:
    pool = CpuPool(1)
    try:
        with pytest.raises(MemoryCeiling, match="the system refused it more memory"):
            await pool.run(work.take_within, 2000, 100)
        assert await pool.run(work.double, 2) == 4
    finally:
        await pool.close()


def test_a_child_that_the_kernel_kills_for_memory_is_not_called_crashed_and_its_parent_lives() -> None:
    with limited_group(500 << 20) as group:
        ran = subprocess.run(
            [sys.executable, "-m", "tests.engine.pool.out_of_memory", str(group)], capture_output=True, text=True
        )
    in_use = "was killed by the system because all 500 MB of memory were in use"
    assert ran.stdout.splitlines() == [
        f"OutOfMemory: the child process {in_use}, although it ran alone",
        "tried alone 1",
        f"OutOfMemory: ffmpeg {in_use}, although it ran alone",
        "returned 4",
        f"OutOfMemory: {Path(sys.executable).name} {in_use}",
        "holds 250",
    ], ran.stderr


async def test_children_are_recycled() -> None:
    pool = CpuPool(1, recycle_after=2)
    try:
        pids = [await pool.run(work.own_pid) for _ in range(6)]
        assert len(set(pids)) == 3
    finally:
        await pool.close()


async def test_children_outlive_the_signals_that_ask_a_worker_to_stop(pool: CpuPool, tmp_path: Path) -> None:
    task = asyncio.create_task(pool.run(work.wait_for_file, tmp_path / "go"))
    await wait_until_async(pool.pids)
    for pid in pool.pids():
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    (tmp_path / "go").touch()
    assert await task


async def test_closing_kills_what_still_runs(tmp_path: Path) -> None:
    pool = CpuPool(1)
    task = asyncio.create_task(pool.run(work.mark_and_hang, tmp_path / "pid"))
    await wait_until_async((tmp_path / "pid").exists)
    await pool.close()
    assert gone(int((tmp_path / "pid").read_text()))
    assert pool.pids() == []
    with pytest.raises(ChildDied):
        await task
    with pytest.raises(RuntimeError, match="closed"):
        await pool.run(work.double, 1)


async def test_children_die_with_their_parent(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.engine.pool.parent", str(marker))
    await wait_until_async(marker.exists)
    parent.kill()
    await parent.wait()
    await wait_until_async(lambda: gone(int(marker.read_text())))
