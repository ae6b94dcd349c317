"""API keys as rows: issue, list, rotate and revoke. Only a key's SHA-256 is kept, so a copy of the table opens nothing."""

import asyncio
import contextlib
import hashlib
import json
import secrets
import time
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import String, Text, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now
from service.database.connection import Database, changed_rows
from service.lib.single_flight import SharedByKey
from service.lib.text import alphabets, listed, skeleton

SECRET_BYTES = 32
"""256 random bits: a key is compared by its digest and never typed."""

SECRET_PREFIX = "offload_"
"""Lets a scanner of repositories recognise a key that was committed by mistake."""

HINT_LETTERS = len(SECRET_PREFIX) + 4
"""Letters of a key that stay readable, to tell two keys apart: 24 of its 256 bits."""

FRESH_S = 0.5
"""Seconds for which a lookup is trusted: well within the second in which a revocation reaches every process."""

KEPT_MAX = 10_000
"""Keys whose lookups are trusted at a time."""

USED_EVERY_S = 60.0
"""Interval in which `last_used_at` is written for a key in use: a row a minute, not one per request."""


class Scope(StrEnum):
    """A right of a key."""

    SUBMIT = "submit"
    """Upload files, queue jobs, and write templates."""
    READ = "read"
    """Read files, jobs, their results and events."""
    OPERATE = "operate"
    """Retry, cancel and delete jobs, and delete files."""
    PERSONAL = "personal"
    """Read recipients: in previews of templates, reports of campaigns, and exports with personal columns."""


class NoSuchKey(Exception):
    """No API key has that id."""


class KeyEnded(NoSuchKey):
    """The API key is not valid any more."""


class BadKeyRequest(Exception):
    """A key that cannot be made as asked. Its message is a sentence."""


class ApiKey(Base):
    """A key of an owner. `scopes` and `job_types` are JSON lists; no job types means all of them."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(32))
    scopes: Mapped[str] = mapped_column(Text)
    job_types: Mapped[str] = mapped_column(Text, default="[]")
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    created_by: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)

    @property
    def scope_set(self) -> frozenset[str]:
        return frozenset(json.loads(self.scopes))

    @property
    def type_set(self) -> frozenset[str]:
        return frozenset(json.loads(self.job_types))

    @property
    def state(self) -> str:
        """valid, expired or revoked, as of now."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= utc_now() else "valid"


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex. Without a salt: 256 random bits are in no table of guesses."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeys:
    """The table's verbs. Each change takes effect in every process within the second for which lookups are cached."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._found = SharedByKey(self._row, fresh_s=FRESH_S, most=KEPT_MAX)
        self._recorded: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def create(
        self,
        owner: str,
        name: str,
        *,
        created_by: str,
        scopes: Iterable[str] = tuple(Scope),
        job_types: Iterable[str] = (),
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Store a new key; returns its row and its secret, which cannot be read again. Raises BadKeyRequest."""
        rights = [scope.value for scope in Scope if scope.value in set(scopes)]
        for field, value in (("owner", owner), ("name", name)):
            if not value.strip() or len(value) > 255 or not value.isprintable():
                raise BadKeyRequest(f"The {field} of a key is 1 to 255 printable characters.")
        if unknown := sorted(set(scopes) - set(rights)):
            raise BadKeyRequest(f"{unknown[0]} is not a scope: there are {', '.join(Scope)}.")
        if not rights:
            raise BadKeyRequest(f"A key needs a scope: {', '.join(Scope)}.")
        if expires_at is not None and expires_at <= utc_now():
            raise BadKeyRequest("A key cannot expire in the past.")
        owner = await self._owner(unicodedata.normalize("NFC", owner.strip()))
        secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            key_id=f"key-{secrets.token_hex(8)}",
            owner=owner,
            name=name.strip(),
            sha256=digest(secret),
            hint=secret[:HINT_LETTERS],
            scopes=json.dumps(rights),
            job_types=json.dumps(sorted(set(job_types))),
            created_at=utc_now(),
            created_by=created_by,
            expires_at=expires_at,
        )
        async with self.database.writing() as session:
            session.add(key)
        return key, secret

    async def _owner(self, name: str) -> str:
        """The name of an owner who may be new. Raises BadKeyRequest for a new one that is taken for another."""
        async with self.database.reading() as session:
            known = set(await session.scalars(select(ApiKey.owner).distinct()))
        if name in known:
            return name
        if len(mixed := sorted(alphabets(name))) > 1:
            raise BadKeyRequest(f"The owner {name} is written in letters of several alphabets: {listed(mixed)}.")
        if other := next((one for one in sorted(known) if skeleton(one) == skeleton(name)), None):
            raise BadKeyRequest(f"The owner {name} would be taken for {other}, who has keys: write the name like that.")
        return name

    async def list(self, owner: str | None = None) -> Sequence[ApiKey]:
        """All keys, or one owner's, newest first; revoked and expired ones too."""
        query = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.key_id)
        async with self.database.reading() as session:
            return list(await session.scalars(query if owner is None else query.where(ApiKey.owner == owner)))

    async def get(self, key_id: str) -> ApiKey:
        """A key's row. Raises NoSuchKey."""
        async with self.database.reading() as session:
            key = await session.get(ApiKey, key_id)
        if key is None:
            raise NoSuchKey(f"There is no API key {key_id[:80]}.")
        return key

    async def rotate(self, key_id: str, *, created_by: str, overlap: timedelta) -> tuple[ApiKey, str]:
        """Make a successor with the same rights; the old key stays valid for `overlap`. Raises NoSuchKey, KeyEnded."""
        old = await self.get(key_id)
        if old.state != "valid":
            raise KeyEnded(f"API key {key_id} is {old.state}: create a new one.")
        until = utc_now() + overlap
        successor, secret = await self.create(
            old.owner,
            old.name,
            created_by=created_by,
            scopes=old.scope_set,
            job_types=old.type_set,
            expires_at=old.expires_at,
        )
        async with self.database.writing() as session:
            sooner = min(until, old.expires_at) if old.expires_at else until
            await session.execute(update(ApiKey).where(ApiKey.key_id == key_id).values(expires_at=sooner))
        return successor, secret

    async def revoke(self, key_id: str) -> ApiKey:
        """Refuse the key from now on, forever. Raises NoSuchKey; KeyEnded where it was revoked before."""
        key = await self.get(key_id)
        async with self.database.writing() as session:
            not_revoked = (ApiKey.key_id == key_id, ApiKey.revoked_at.is_(None))
            changed = await changed_rows(session, update(ApiKey).where(*not_revoked).values(revoked_at=utc_now()))
        if not changed:
            raise KeyEnded(f"API key {key_id} was revoked already.")
        self._found.clear()
        return key

    async def find(self, secret: str) -> ApiKey | None:
        """The row of a valid key; None for an unknown, expired or revoked one. Trusted for FRESH_S."""
        key = await self._found(digest(secret))
        if key is None or key.state != "valid":
            return None
        self._record_use(key.key_id)
        return key

    async def _row(self, sha256: str) -> ApiKey | None:
        async with self.database.reading() as session:
            row: ApiKey | None = await session.scalar(select(ApiKey).where(ApiKey.sha256 == sha256))
            return row

    def _record_use(self, key_id: str) -> None:
        """Write `last_used_at` apart from the request, which would otherwise wait for the database's writers."""
        now = time.monotonic()
        if now - self._recorded.get(key_id, -USED_EVERY_S) >= USED_EVERY_S:
            self._recorded[key_id] = now
            task = asyncio.create_task(self._write_use(key_id))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write_use(self, key_id: str) -> None:
        # A date that is a minute late harms less than a request that fails for it.
        with contextlib.suppress(SQLAlchemyError, OSError):
            async with self.database.writing() as session:
                await session.execute(update(ApiKey).where(ApiKey.key_id == key_id).values(last_used_at=utc_now()))

    async def close(self) -> None:
        """Let the last notes of use be written."""
        await asyncio.gather(*self._writing, return_exceptions=True)
