"""Sessions of the dashboard, kept in the database: signing out, or an operator, ends one everywhere within a second."""

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from service.database.column_types import utc_now
from service.database.connection import Database, changed_rows
from service.database.dashboard_users import DashboardSession
from service.lib.single_flight import SharedByKey
from settings.groups import Rights

TOKEN_BYTES = 32
"""256 random bits: a cookie is compared by its digest."""

LIFE = timedelta(hours=12)
"""From signing in, however much a session is used: a working day."""

FRESH_S = 0.5
"""Seconds for which a lookup is trusted."""

USED_EVERY = timedelta(minutes=1)
"""Interval in which the use of a session is written down: a row a minute, not one per request."""

KEPT_MAX = 10_000


class Sessions:
    """The table's verbs. A session ends `idle` after its last use."""

    def __init__(self, database: Database, idle: timedelta) -> None:
        self.database, self.idle = database, idle
        self._found = SharedByKey(self._row, fresh_s=FRESH_S, most=KEPT_MAX)
        self._writing: set[asyncio.Task[None]] = set()

    async def begin(
        self,
        name: str,
        *,
        source: str,
        credential: str,
        role: str,
        address: str = "",
        browser: str = "",
        rights: Rights | None = None,
        id_token: str = "",
        replaces: str = "",
    ) -> str:
        """Open a session; returns the value of its cookie, which cannot be read again. Sessions that have ended are removed.

        `rights` are those of a user of the identity provider, for as long as the session lasts. `replaces` is the cookie that
        the browser had: its session would go on without a browser that could sign it out.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session_row = DashboardSession(
            sha256=digest(token),
            name=name[:255],
            source=source,
            credential=credential,
            role=role,
            personal=rights.personal if rights else None,
            queues=json.dumps(rights.queues) if rights else None,
            id_token=id_token or None,
            address=address[:64],
            browser=browser[:255],
            created_at=utc_now(),
            used_at=utc_now(),
        )
        async with self.database.writing() as session:
            session.add(session_row)
            await session.execute(
                delete(DashboardSession).where(
                    (DashboardSession.used_at < utc_now() - self.idle)
                    | (DashboardSession.created_at < utc_now() - LIFE)
                    | (DashboardSession.sha256 == digest(replaces))
                )
            )
        self._found.forget(digest(replaces))
        return token

    async def find(self, token: str, *, uses: bool) -> DashboardSession | None:
        """The session of a cookie; None once it has ended. `uses`: a person does something, which puts off the idle end."""
        sha256 = digest(token)
        found = await self._found(sha256)
        if found is None or self.ended(found):
            return None
        if uses and utc_now() - found.used_at >= min(USED_EVERY, self.idle / 2):
            found.used_at = utc_now()
            task = asyncio.create_task(self._write_use(sha256))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        return found

    async def _row(self, sha256: str) -> DashboardSession | None:
        async with self.database.reading() as session:
            row: DashboardSession | None = await session.get(DashboardSession, sha256)
            return row

    def ended(self, row: DashboardSession) -> bool:
        """True once it was left alone too long, or began too long ago."""
        return utc_now() - row.used_at >= self.idle or utc_now() - row.created_at >= LIFE

    async def list(self) -> Sequence[DashboardSession]:
        """Those that are open, last used first."""
        async with self.database.reading() as session:
            rows = await session.scalars(select(DashboardSession).order_by(DashboardSession.used_at.desc()))
            return [row for row in rows if not self.ended(row)]

    async def end(self, sha256: str) -> DashboardSession | None:
        """End one by its digest; returns it, or None where there is none."""
        async with self.database.writing() as session:
            row = await session.get(DashboardSession, sha256[:64])
            if row is not None:
                await session.delete(row)
        self._found.forget(sha256)
        return row

    async def end_all(self, name: str) -> int:
        """End every session of a user; returns their number."""
        async with self.database.writing() as session:
            ended = await changed_rows(session, delete(DashboardSession).where(DashboardSession.name == name))
        self._found.clear()
        return ended

    async def _write_use(self, sha256: str) -> None:
        # A time that is a minute old ends the session a minute early, which harms less than a request that fails for it.
        with contextlib.suppress(SQLAlchemyError, OSError):
            async with self.database.writing() as session:
                await session.execute(
                    update(DashboardSession).where(DashboardSession.sha256 == sha256).values(used_at=utc_now())
                )

    async def close(self) -> None:
        """Let the last uses be written."""
        await asyncio.gather(*self._writing, return_exceptions=True)


def digest(token: str) -> str:
    """SHA-256 of a cookie's value, in hex. Without a salt: 256 random bits are in no table of guesses."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
