"""`run_program`: an external program under an attempt, which never outlives it."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tasks.sdk.errors import MemoryCeiling
from tasks.sdk.memory_group import die_first, killed, own_group

LINE_BYTES_MAX = 64 * 1024
"""Bytes of a line of output. A program that writes more without a line's end is read on, and the line is dropped."""

ERRORS_BYTES_MAX = 16 * 1024
"""Last bytes of the error output that are kept: a program that complains about every frame must not fill the memory."""

WATCH_S = 0.1
"""Interval in which the program's memory is measured."""

ENVIRONMENT = ("PATH", "SYSTEMROOT", "TMPDIR")
"""Variables that a program is given. The worker's own hold credentials, and a program may read files of strangers."""


class ProgramFailed(Exception):
    """The program ended with an exit code other than 0. `errors` is the end of what it wrote to its error output."""

    def __init__(self, name: str, code: int, errors: str) -> None:
        super().__init__(f"{name} ended with exit code {code}: {errors[-500:]}")
        self.code = code
        self.errors = errors


async def run_program(
    command: Sequence[str],
    folder: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    timeout_s: float | None = None,
    memory_mb: int = 0,
    launch: Callable[[Sequence[str]], Sequence[str]] = list,
    on_cpu: Callable[[float], None] | None = None,
    niceness: int = 0,
) -> str:
    """Run `command` in `folder` and return the end of its error output. `on_line` is called with each line of its output.

    Raises ProgramFailed, TimeoutError, MemoryCeiling (resident memory above `memory_mb`, 0 for no limit), OutOfMemory where
    the kernel killed it because there was no more, or ChildDied where something else did. In each case, and when the awaiting
    task is cancelled, it is killed, and has ended when this returns. `launch` makes the command line that is started in place
    of `command`. `on_cpu` is called with the CPU seconds that it has used so far, ten times a second. It yields by `niceness`
    (0 to 19) to the worker's own loop.
    """
    kills_before = own_group().kills()
    process = await asyncio.create_subprocess_exec(
        *launch(command),
        cwd=folder,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
    die_first(process.pid)
    errors = bytearray()
    work = asyncio.create_task(_ended(process, errors, on_line))
    watch = asyncio.create_task(_watch(process.pid, memory_mb, on_cpu))
    try:
        async with asyncio.timeout(timeout_s) as limit:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        code = watch.result() if watch.done() else work.result()
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(f"took longer than its limit of {timeout_s:g} s") from None
    finally:
        work.cancel()
        watch.cancel()
        await _end(process)
    text = errors.decode("utf-8", "replace")
    if code < 0:
        raise killed(Path(command[0]).name, -code, kills_before)
    if code:
        raise ProgramFailed(Path(command[0]).name, code, text)
    return text


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the program if it still runs, and wait for it, however often the wait is cancelled."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    ending = asyncio.ensure_future(process.wait())
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


async def _ended(process: asyncio.subprocess.Process, errors: bytearray, on_line: Callable[[str], None] | None) -> int:
    """Read both outputs to their ends; returns the exit code."""
    await asyncio.gather(_read_lines(process, on_line), _read_errors(process, errors))
    return await process.wait()


async def _read_lines(process: asyncio.subprocess.Process, on_line: Callable[[str], None] | None) -> None:
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            continue
        if not line:
            return
        if on_line:
            on_line(line.decode("utf-8", "replace").rstrip("\r\n"))


async def _read_errors(process: asyncio.subprocess.Process, errors: bytearray) -> None:
    assert process.stderr is not None
    while chunk := await process.stderr.read(LINE_BYTES_MAX):
        errors += chunk
        del errors[:-ERRORS_BYTES_MAX]


async def _watch(pid: int, memory_mb: int, on_cpu: Callable[[float], None] | None) -> int:
    """Raises MemoryCeiling once the program is above its limit, and does not return."""
    while True:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if on_cpu:
                on_cpu(sum(process.cpu_times()[:4]))
            used_mb = process.memory_info().rss >> 20
            if memory_mb and used_mb > memory_mb:
                raise MemoryCeiling(f"used {used_mb} MB of memory, over its ceiling of {memory_mb} MB")
        await asyncio.sleep(WATCH_S)
