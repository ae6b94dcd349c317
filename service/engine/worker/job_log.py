"""Lines that a job's task logs, kept with the job: the last 200 lines, without personal values."""

import asyncio
import contextlib
from collections import deque
from contextvars import ContextVar, Token
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.store import Job, Store
from service.engine.store.records import LogLine
from service.lib.clock import now_ms
from service.lib.throttle import Throttled

LINES_MAX = 200
"""Lines that are kept of a job: what happened last is what one looks for."""

TEXT_MAX = 2_000
"""Characters of an event or a field: a traceback's end, not a document."""

THROTTLE_S = 0.5
"""Lines travel twice a second at most: a task that logs every row costs no more than one that logs every page."""

MASK = "•••"

OWN_FIELDS = ("event", "level", "timestamp", "job", "attempt", "trace_id", "span_id")
"""Fields of an event that a line has in places of their own."""

CURRENT: ContextVar["JobLog | None"] = ContextVar("job_log", default=None)


class JobLog:
    """Collects the lines of one attempt. Within its block every line that is logged carries the job and its attempt, and is
    kept."""

    token: Token["JobLog | None"]

    def __init__(self, store: Store, job: Job, personal: frozenset[str]) -> None:
        self.store = store
        self.job = job
        self.personal = personal
        self.lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self.loop = asyncio.get_running_loop()
        self.throttled = Throttled(self.flush, THROTTLE_S)
        self.closed = False

    def __enter__(self) -> None:
        self.token = CURRENT.set(self)

    def __exit__(self, *_: object) -> None:
        CURRENT.reset(self.token)

    def add(self, level: str, event: dict[str, Any]) -> None:
        """Take one line in; one that comes after the attempt has ended is not the attempt's."""
        if self.closed:
            return
        fields = {name: _short(value) for name, value in event.items() if name not in OWN_FIELDS}
        self.lines.append(LogLine(now_ms(), level, self.job.attempt, _short(event.get("event", "")), fields))
        # A task may log from a thread of its own, where no loop runs.
        self.loop.call_soon_threadsafe(self._flush_soon)

    def _flush_soon(self) -> None:
        if not self.closed:
            self.throttled.soon()

    async def flush(self) -> None:
        """Write what has been collected. Lines are not worth an attempt: they are lost while Redis is away."""
        if self.lines:
            lines = [msgspec.json.encode(line) for line in self.lines]
            self.lines.clear()
            with contextlib.suppress(RedisError, OSError):
                await self.store.logged(self.job.id, lines)

    async def close(self) -> None:
        """Write the rest."""
        self.closed = True
        await self.throttled.close()
        await self.flush()


def capture(_logger: Any, level: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A structlog processor: masks what is declared personal, and keeps the line with the job it was logged in."""
    log = CURRENT.get()
    if log is not None:
        event.setdefault("job", log.job.id)
        event.setdefault("attempt", log.job.attempt)
        for name in log.personal & event.keys():
            event[name] = MASK
        log.add(level, dict(event))
    return event


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= TEXT_MAX else "…" + text[-TEXT_MAX:]
