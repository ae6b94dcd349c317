"""One process of the running stack: its output by lines, a new start when it ends unasked, a clean end when asked."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from service.lib.parent_death import tied
from tasks.sdk.memory_group import own_group, total_mb

BACKOFF_MIN_S = 0.5
"""First wait before a new start: a crash that will not repeat costs little."""

BACKOFF_MAX_S = 30.0
"""Longest wait: a machine must not spend itself on starting Python, nor an operator wait for minutes after a repair."""

HEALTHY_S = 10.0
"""A child that has lived so long was healthy, and its next end counts as the first again."""

LINE_BYTES = 65_536
"""Longest output line kept in memory; a longer one is cut in two."""

Report = Callable[[str, str], None]
"""Called with a child's name and one line about or from it."""


class Child:
    """A process that is kept running from `start` to `stop`.

    It gets a session of its own, so that a Ctrl-C in the terminal reaches only us, and we choose the order of the end.
    What it leaves running in that session is killed when it ends. `on_end` is called after each end that was not asked
    for.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        report: Report,
        on_end: Callable[["Child"], None],
    ) -> None:
        self.name = name
        self.ends = 0
        """Number of times that it has ended unasked."""
        self._command = command
        self._env = env
        self._report = report
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the present incarnation; None between two."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Begin to keep the process running."""
        self._task = asyncio.create_task(self._keep_running(), name=f"child {self.name}")

    async def stop(self, grace_s: float) -> None:
        """Ask the process to end (SIGTERM), and kill its whole session after `grace_s` seconds."""
        self._stopping.set()
        if self._task is None:
            return
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
        done, _ = await asyncio.wait([self._task], timeout=grace_s)
        if not done:
            self._report(self.name, f"did not end within {grace_s:.0f} s of SIGTERM and is killed")
            if self.pid is not None:
                _kill_session(self.pid)
        await self._task

    async def _keep_running(self) -> None:
        backoff_s = BACKOFF_MIN_S
        while not self._stopping.is_set():
            started = time.monotonic()
            kills_before = own_group().kills()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > HEALTHY_S:
                backoff_s = BACKOFF_MIN_S
            self.ends += 1
            self._report(self.name, f"{_ended(code, kills_before)}; starting again in {backoff_s:.1f} s")
            self._on_end(self)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def _run_once(self) -> int:
        """Run the process from start to end and return its exit code, negative for a signal."""
        # A pipe of our own: with asyncio's, `wait` would wait for the pipe to close, and a grandchild may hold it open.
        ours, theirs = os.pipe()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *tied(self._command),
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        if self._stopping.is_set():
            process.terminate()
        output = asyncio.create_task(self._pass_on(ours))
        code = await process.wait()
        _kill_session(process.pid)
        await output
        return code

    async def _pass_on(self, descriptor: int) -> None:
        """Say every line that comes out of a pipe, and close it."""
        stream = asyncio.StreamReader()
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            protocol = asyncio.StreamReaderProtocol(stream)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
            with contextlib.closing(transport):
                async for line in lines(stream):
                    self._report(self.name, line)


async def lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Lines of a process's output, bytes that are not UTF-8 replaced."""
    rest = b""
    while chunk := await stream.read(LINE_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LINE_BYTES:
            whole, rest = [*whole, rest], b""
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")


def _kill_session(leader: int) -> None:
    """Kill every process still in the group of a child that led its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _ended(code: int, kills_before: int) -> str:
    if code == -signal.SIGKILL and own_group().kills() > kills_before:
        return f"was killed by the system because all {total_mb():,} MB of memory were in use"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
