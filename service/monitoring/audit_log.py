"""The audit log: who did what to which thing. Written here, read by the dashboard; the events dataset exports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Select, select, tuple_

from service.database.audit import Event
from service.database.connection import Database
from service.database.cursors import cursor_after, position_of

DETAIL_MAX = 2_000
"""Characters kept of what was asked: a selection of a thousand ids is named by its beginning and its count."""

FIELD_MAX = 255


class Target(NamedTuple):
    """What something was done to, such as ("job", "pdf-ocr-…")."""

    kind: str
    id: str


@dataclass(frozen=True)
class AuditFilter:
    """Which lines are looked for; None fits everything."""

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

    async def record(
        self,
        actor: str,
        role: str,
        action: str,
        target: Target,
        detail: str = "",
        *,
        owner: str,
        outcome: str = "done",
        address: str | None = None,
        took_ms: float | None = None,
    ) -> None:
        """Write one line.

        `action` is a noun and past participle (job.retried); `detail` says what was asked, such as a filter with its
        count; `owner` is whose thing it is; `outcome` is done, refused or failed.
        """
        event = Event(
            owner=owner[:FIELD_MAX],
            actor=actor[:FIELD_MAX],
            role=role,
            action=action,
            target_type=target.kind,
            target_id=target.id[:FIELD_MAX],
            outcome=outcome,
            address=address,
            took_ms=took_ms,
            detail=detail[:DETAIL_MAX] or None,
        )
        async with self.database.writing() as session:
            session.add(event)

    async def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """Lines that fit, newest first. Raises ValueError for a cursor that is none of ours."""
        query = _filtered(wanted).order_by(Event.created_at.desc(), Event.event_id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(tuple_(Event.created_at, Event.event_id) < tuple_(*position_of(cursor)))
        async with self.database.reading() as session:
            found = list(await session.scalars(query))
        last = found[limit - 1] if len(found) > limit else None
        return AuditPage(found[:limit], cursor_after((last.created_at, last.event_id)) if last else None)

    async def newer(self, wanted: AuditFilter, than: str, limit: int) -> int:
        """How many lines that fit are newer than a cursor, `limit` at most; an empty cursor is older than all.

        Raises ValueError for a cursor that is none of ours.
        """
        query = _filtered(wanted).with_only_columns(Event.event_id).limit(limit)
        if than:
            query = query.where(tuple_(Event.created_at, Event.event_id) > tuple_(*position_of(than)))
        async with self.database.reading() as session:
            return len(list(await session.scalars(query)))


def _filtered(wanted: AuditFilter) -> Select[Event]:
    columns = {"actor": Event.actor, "action": Event.action, "target": Event.target_id, "outcome": Event.outcome}
    given = [(column, value) for name, column in columns.items() if (value := getattr(wanted, name))]
    return select(Event).where(*(column == value for column, value in given))
