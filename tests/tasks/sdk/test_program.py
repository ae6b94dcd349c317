"""External programs under an attempt: their memory, and their end."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from service.lib.parent_death import bounded
from tasks.sdk.errors import MemoryCeiling
from tasks.sdk.program import run_program
from tests.waiting import wait_until_async

GREEDY = "import os, time; print(os.getpid(), flush=True); held = b'x' * (300 << 20); time.sleep(600)"


async def test_a_program_above_its_memory_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(MemoryCeiling, match="over its ceiling of 100 MB"):
        await run_program([sys.executable, "-c", GREEDY], tmp_path, on_line=lines.append, memory_mb=100)
    assert not psutil.pid_exists(int(lines[0]))


async def test_a_program_yields_to_the_process_that_runs_it(tmp_path: Path) -> None:
    lines: list[str] = []
    code = "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"
    await run_program([sys.executable, "-c", code], tmp_path, on_line=lines.append, niceness=7)
    assert lines == [str(os.getpriority(os.PRIO_PROCESS, 0) + 7)]


async def test_a_cancelled_program_has_ended_when_the_cancellation_arrives(tmp_path: Path) -> None:
    lines: list[str] = []
    running = asyncio.create_task(run_program([sys.executable, "-c", GREEDY], tmp_path, on_line=lines.append))
    await wait_until_async(lambda: lines)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(int(lines[0]))


def test_the_kernel_refuses_more_memory_than_a_bounded_program_may_have() -> None:
    code = "held = b'x' * (300 << 20)"
    done = subprocess.run(bounded([sys.executable, "-c", code], 200), capture_output=True, text=True, env=os.environ)
    assert done.returncode == 1 and "MemoryError" in done.stderr
    assert subprocess.run(bounded([sys.executable, "-c", code], 0), check=False).returncode == 0
