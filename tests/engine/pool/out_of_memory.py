"""`python -m tests.engine.pool.out_of_memory GROUP`: joins a control group and lets the kernel kill for memory in it.

Prints the outcome of a call of the pool, of one whose program is killed, and of a program under an attempt, one a line. It holds
more memory itself than any of them, and lives.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from service.engine.pool.cpu_pool import CpuPool
from tasks.sdk.program import run_program
from tasks.video.probe import probe
from tests.engine.pool import work

HELD_MB = 250
"""Of 500: a child that is killed holds less."""

GREEDY = [sys.executable, "-c", "held = b'x' * (600 << 20)"]


def greedy_probe() -> None:
    probe(Path("it.mp4"), "video/mp4", lambda _: GREEDY)


async def outcome(call: Callable[[], Awaitable[Any]]) -> str:
    try:
        return f"returned {await call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def main() -> None:
    Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
    held = bytearray(HELD_MB << 20)
    held[::4096] = b"x" * len(held[::4096])
    pool = CpuPool(1)
    try:
        print(await outcome(lambda: pool.run(work.take, 600)), flush=True)
        print("tried alone", pool.tried_alone, flush=True)
        print(await outcome(lambda: pool.run(greedy_probe)), flush=True)
        print(await outcome(lambda: pool.run(work.double, 2)), flush=True)
    finally:
        await pool.close()
    print(await outcome(lambda: run_program(GREEDY, Path(tempfile.gettempdir()))), flush=True)
    print("holds", len(held) >> 20, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
