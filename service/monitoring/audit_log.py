"""The audit log: who did what to which thing. Written here, read by the dashboard; the events dataset exports it."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Select, func, insert, select, tuple_

from service.database.audit import Event
from service.database.column_types import utc_now
from service.database.connection import Database
from service.database.cursors import cursor_after, position_of
from service.lib.async_tasks import end

DETAIL_MAX = 2_000
"""Characters kept of what was asked: a selection of a thousand ids is named by its beginning and its count."""

FIELD_MAX = 255

BETWEEN_COUNTED = 100_000
"""Lines of a span that are counted one by one."""


LATER_S = 0.1
"""Seconds for which lines that may wait gather: many requests at once then cost one transaction."""

LATER_AT_ONCE = 1_000
LATER_MAX = 100_000
"""Lines in memory while the database is away: some 100 MB."""

LATER_PAUSE_MAX_S = 10.0

CLOSE_S = 1.0
"""Seconds that the end of a process waits for lines that are being written."""

log = structlog.get_logger("offload.audit")


class Target(NamedTuple):
    """Target of an action, such as ("job", "pdf-ocr-…")."""

    kind: str
    id: str


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An action as it is to be written: who did what to which thing, and how it ended."""

    actor: str
    role: str
    action: str
    """A noun and past participle, such as job.retried."""
    target: Target
    owner: str
    """Owner of the target: the line is that owner's to read."""
    detail: str = ""
    """Request of the action, such as a filter with its count."""
    outcome: str = "done"
    """done, refused or failed."""
    address: str | None = None
    took_ms: float | None = None

    def event(self) -> Event:
        """The line of this moment. What is longer than its column is cut."""
        return Event(**self.row())

    def row(self) -> dict[str, Any]:
        """The line's columns: an object that the database's sessions watch costs ten times as much."""
        return {
            "created_at": utc_now(),
            "owner": self.owner[:FIELD_MAX],
            "actor": self.actor[:FIELD_MAX],
            "role": self.role,
            "action": self.action,
            "target_type": self.target.kind,
            "target_id": self.target.id[:FIELD_MAX],
            "outcome": self.outcome,
            "address": self.address,
            "took_ms": self.took_ms,
            "detail": self.detail[:DETAIL_MAX] or None,
        }


@dataclass(frozen=True)
class AuditFilter:
    """Filter of lines; None fits everything."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class AuditPage:
    """Lines, newest first. `next_cursor` leads to older ones; None at the end."""

    events: Sequence[Event]
    next_cursor: str | None


class Audit:
    """Writes and reads the log."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting: deque[dict[str, Any]] = deque()
        self.writer: asyncio.Task[None] | None = None

    async def record(self, entry: AuditEntry) -> None:
        """Write one line now."""
        await self.write([entry.event()])

    async def write(self, lines: Sequence[Event]) -> None:
        """Write lines in one transaction."""
        async with self.database.writing() as session:
            session.add_all(lines)

    async def _write_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows in one transaction and one statement. Each gets its id here: one that was tried before starts afresh."""
        async with self.database.writing() as session:
            await session.execute(insert(Event), list(rows))

    def later(self, entry: AuditEntry) -> None:
        """Write a line of this moment within a second, together with others, and again while the database is away.

        A process that is killed in that second loses it. Where LATER_MAX wait, the oldest are given up, into the
        process's log.
        """
        self.waiting.append(entry.row())
        if len(self.waiting) > LATER_MAX:
            given_up = self.waiting.popleft()
            log.error("audit.line_given_up", action=given_up["action"], target=given_up["target_id"])
        if self.writer is None or self.writer.done():
            self.writer = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        pause_s = LATER_S
        while self.waiting:
            await asyncio.sleep(pause_s)
            lines = [self.waiting.popleft() for _ in range(min(len(self.waiting), LATER_AT_ONCE))]
            try:
                await self._write_rows(lines)
                pause_s = LATER_S
            except Exception as error:  # any reason: what is to be written stays, and is said
                self.waiting.extendleft(reversed(lines))
                log.warning("audit.database_away", lines=len(self.waiting), error=str(error)[:500])
                pause_s = min(2 * pause_s, LATER_PAUSE_MAX_S)

    async def close(self) -> None:
        """Write what still waits, once."""
        if self.writer is not None:
            # A write that is under way ends: cancelled, it would leave its connection behind.
            await asyncio.wait({self.writer}, timeout=CLOSE_S)
            await end(self.writer)
        if self.waiting:
            try:
                await self._write_rows(self.waiting)
            except Exception as error:  # the process ends: this is the last that can be said of them
                log.error("audit.lines_lost", lines=len(self.waiting), error=str(error)[:500])

    async def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """Lines that fit, newest first. Raises ValueError for an invalid cursor."""
        query = _filtered(wanted).order_by(Event.created_at.desc(), Event.event_id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(tuple_(Event.created_at, Event.event_id) < tuple_(*position_of(cursor)))
        async with self.database.reading() as session:
            found = list(await session.scalars(query))
        last = found[limit - 1] if len(found) > limit else None
        return AuditPage(found[:limit], cursor_after((last.created_at, last.event_id)) if last else None)

    async def newer(self, wanted: AuditFilter, than: str, limit: int) -> int:
        """Number of fitting lines that are newer than a cursor, `limit` at most; an empty cursor is older than all.

        Raises ValueError for an invalid cursor.
        """
        query = _filtered(wanted).with_only_columns(Event.event_id).limit(limit)
        if than:
            query = query.where(tuple_(Event.created_at, Event.event_id) > tuple_(*position_of(than)))
        async with self.database.reading() as session:
            return len(list(await session.scalars(query)))

    async def between(self, first_ms: int, last_ms: int, limit: int) -> tuple[Sequence[Event], int]:
        """The newest `limit` lines of a span, newest first, and how many there are, BETWEEN_COUNTED at most."""
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
        query = select(Event).where(Event.created_at.between(first, last))
        newest = query.order_by(Event.created_at.desc(), Event.event_id.desc()).limit(limit)
        counted = query.with_only_columns(Event.event_id).limit(BETWEEN_COUNTED).subquery()
        async with self.database.reading() as session:
            total = await session.scalar(select(func.count()).select_from(counted))
            return list(await session.scalars(newest)), total or 0


def _filtered(wanted: AuditFilter) -> Select[Event]:
    columns = {"actor": Event.actor, "action": Event.action, "target": Event.target_id, "outcome": Event.outcome}
    given = [(column, value) for name, column in columns.items() if (value := getattr(wanted, name))]
    return select(Event).where(*(column == value for column, value in given))
