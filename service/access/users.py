"""Dashboard users as rows: add, list, change and remove. Passwords are kept as Argon2id."""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Collection, Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from service.database.connection import Database, changed_rows
from service.database.dashboard_users import DashboardSession, DashboardUserRow
from service.database.saved_views import forget_views
from service.lib.single_flight import SharedByKey
from settings.credentials import PASSWORD_MIN, Role
from settings.queues import Queue

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's recommendation: 19 MiB and two passes, some 20 ms of a core."""

AT_ONCE = 2
"""Passwords that a process verifies at a time: sign-ins that come together wait, and take neither memory nor cores from others."""

PASSWORD_MAX = 1_024
"""Characters: far beyond any phrase."""

FRESH_S = 0.5
"""Seconds for which a row is trusted: a change reaches every process within a second."""

KEPT_MAX = 10_000
"""Users whose rows are trusted at a time."""

VERIFIED_MAX = 1_000
"""Verified passwords that a process remembers, by a digest, so that a script's next request costs no second Argon2."""


NAME = re.compile(r"[\w.@+ -]{1,255}")
"""Without a colon, at which HTTP basic divides, and without a slash: it stands in addresses."""


class NoSuchUser(Exception):
    """There is no dashboard user of that name in the database. The message is a sentence."""


class BadUser(Exception):
    """A user that cannot be made as asked. The message is a sentence."""


class Users:
    """The table's verbs. `reserved` are names of the environment, which a row must not shadow."""

    def __init__(self, database: Database, reserved: Collection[str] = ()) -> None:
        self.database, self.reserved = database, reserved
        self._found = SharedByKey(self._row, fresh_s=FRESH_S, most=KEPT_MAX)
        self._verified: OrderedDict[str, None] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._pepper = secrets.token_bytes(32)
        self._placeholder = ""

    async def add(
        self, name: str, password: str, role: Role, *, created_by: str, personal: bool, queues: Collection[str] = ()
    ) -> DashboardUserRow:
        """Store a new user. Raises BadUser."""
        name = checked_name(name)
        if name in self.reserved:
            raise BadUser(f"{name} is a user of OFFLOAD_DASHBOARD_USERS already.")
        row = DashboardUserRow(
            name=name,
            password_hash=await self._hash(password),
            role=str(role),
            personal=personal,
            queues=json.dumps(checked_queues(queues)),
            created_by=created_by,
        )
        try:
            async with self.database.writing() as session:
                session.add(row)
        except IntegrityError:
            raise BadUser(f"There is a user {name} already.") from None
        return row

    async def list(self) -> Sequence[DashboardUserRow]:
        """All of them, by name."""
        async with self.database.reading() as session:
            return list(await session.scalars(select(DashboardUserRow).order_by(DashboardUserRow.name)))

    async def any(self) -> bool:
        """True where there is one."""
        async with self.database.reading() as session:
            return bool(await session.scalar(select(func.count()).select_from(DashboardUserRow)))

    async def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        personal: bool | None = None,
        queues: Collection[str] | None = None,
        password: str | None = None,
    ) -> None:
        """Set what is given. It holds for open sessions too; another password ends them. Raises NoSuchUser, BadUser."""
        values: dict[str, object] = {}
        if role is not None:
            values["role"] = str(role)
        if personal is not None:
            values["personal"] = personal
        if queues is not None:
            values["queues"] = json.dumps(checked_queues(queues))
        if password is not None:
            values["password_hash"] = await self._hash(password)
        async with self.database.writing() as session:
            changed = await changed_rows(
                session, update(DashboardUserRow).where(DashboardUserRow.name == name).values(**values)
            )
        self._expect(changed, name)

    async def choose(self, name: str, *, language: str, zone: str) -> None:
        """Keep the language and the zone in which the user reads; empty ones for the browser's. Raises NoSuchUser."""
        async with self.database.writing() as session:
            changed = await changed_rows(
                session,
                update(DashboardUserRow)
                .where(DashboardUserRow.name == name)
                .values(language=language or None, zone=zone or None),
            )
        self._found.forget(name)
        self._expect(changed, name)

    async def remove(self, name: str) -> None:
        """Delete the user, its sessions and its own saved views: another of the name begins without. Raises NoSuchUser."""
        async with self.database.writing() as session:
            removed = await changed_rows(session, delete(DashboardUserRow).where(DashboardUserRow.name == name))
            await session.execute(
                delete(DashboardSession).where(DashboardSession.name == name, DashboardSession.source == "password")
            )
            if removed:
                await forget_views(session, name)
        self._expect(removed, name)

    async def find(self, name: str) -> DashboardUserRow | None:
        """The row, as it was within the last FRESH_S; None where there is none."""
        return await self._found(name)

    async def _row(self, name: str) -> DashboardUserRow | None:
        async with self.database.reading() as session:
            row: DashboardUserRow | None = await session.get(DashboardUserRow, name[:255])
            return row

    async def verify(self, name: str, password: str) -> DashboardUserRow | None:
        """The user with this name and password. An unknown name takes as long as a wrong password."""
        row = await self.find(name)
        known = row.password_hash if row else await self._stand_in()
        if len(password) > PASSWORD_MAX:
            return None
        digest = hmac.new(self._pepper, f"{name}\0{known}\0{password}".encode(), hashlib.sha256).hexdigest()
        if digest not in self._verified:
            async with self._turn:
                if not await asyncio.to_thread(_matches, known, password):
                    return None
            self._verified[digest] = None
        self._verified.move_to_end(digest)
        while len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)
        return row

    async def _hash(self, password: str) -> str:
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX or "\0" in password:
            raise BadUser(f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
        async with self._turn:
            return await asyncio.to_thread(HASHER.hash, password)

    async def _stand_in(self) -> str:
        if not self._placeholder:
            self._placeholder = await self._hash(secrets.token_urlsafe(16))
        return self._placeholder

    def _expect(self, number: int, name: str) -> None:
        self._found.forget(name)
        if not number:
            more = " It is one of OFFLOAD_DASHBOARD_USERS: change it there." if name in self.reserved else ""
            raise NoSuchUser(f"There is no user {name[:80]} in the database.{more}")


def checked_name(name: str) -> str:
    """The name, without blanks around it. Raises BadUser."""
    name = name.strip()
    if not NAME.fullmatch(name):
        raise BadUser("A user's name is 1 to 255 letters, digits, blanks and any of . _ @ + -.")
    return name


def checked_queues(queues: Collection[str]) -> list[str]:
    """The queues, each once. Raises BadUser for one that there is not."""
    if unknown := sorted(set(queues) - set(map(str, Queue))):
        raise BadUser(f"There is no queue {unknown[0][:80]}: there are {', '.join(Queue)}.")
    return sorted(set(queues))


def _matches(known: str, password: str) -> bool:
    try:
        return HASHER.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
