"""Owners as rows: the plan of each, limits of its own, and what it has used in each month."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import BigInteger, String, Text, delete, func, select, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.database.api_keys import ApiKey
from service.database.base import Base
from service.database.column_types import UtcTime, utc_now
from service.database.connection import Database
from service.lib.single_flight import SharedByKey
from settings.plans import Limits, Plan, Plans

FRESH_S = 0.5
"""Seconds for which limits are trusted: a change reaches every process within a second, and a busy owner costs two reads
a second and process."""

KEPT_MAX = 10_000
"""Owners whose limits are trusted at a time."""

OWNER_MAX = 255

log = structlog.get_logger("offload.owners")


class Owner(Base):
    """An owner whose plan, or limits, an operator has set. `own` is a JSON object of fields of a plan; others have no row."""

    __tablename__ = "owners"

    owner: Mapped[str] = mapped_column(String(OWNER_MAX), primary_key=True)
    plan: Mapped[str | None] = mapped_column(String(64))
    own: Mapped[str] = mapped_column(Text, default="{}")
    changed_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    changed_by: Mapped[str] = mapped_column(String(255))

    @property
    def own_fields(self) -> dict[str, Any]:
        """Limits of its own, by field of a plan."""
        fields: dict[str, Any] = json.loads(self.own)
        return fields


class OwnerMonth(Base):
    """Use of an owner in a calendar month (UTC), such as 2026-11. It never falls: deleting a document gives nothing back."""

    __tablename__ = "owner_months"

    owner: Mapped[str] = mapped_column(String(OWNER_MAX), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    pages: Mapped[int] = mapped_column(BigInteger, default=0)
    """Uploaded. What follows is metered (service/database/usage.py)."""
    jobs: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    pages_read: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    cpu_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    mails: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    video_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    stored_kb_s: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class BadLimits(ValueError):
    """A plan or a limit that cannot be set. Its message is a sentence; `field` is the wrong one."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class OwnerPage:
    """Owners in order of their names. `next_after` leads to those that follow; None at the end."""

    owners: Sequence[str]
    next_after: str | None


class Owners:
    """The tables' verbs. A change takes effect in every process within the second for which limits are trusted."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self.database = database
        self.plans = plans
        self._known: dict[str, Limits] = {}
        self._read = SharedByKey(self._limits, fresh_s=FRESH_S, most=KEPT_MAX)

    async def limits(self, owner: str) -> Limits:
        """Limits that hold for an owner, trusted for FRESH_S.

        Those of before, or of the default plan, while the database is away: it decides on no job that is queued until then.
        """
        return await self._read(owner)

    async def _limits(self, owner: str) -> Limits:
        try:
            found = self._known[owner] = self.resolved(await self.get(owner))
        except (SQLAlchemyError, OSError) as error:
            log.warning("limits.read_failed", owner=owner, error=str(error)[:200])
            return self._known.get(owner) or self.resolved(None)
        return found

    def resolved(self, row: Owner | None) -> Limits:
        """Limits of a row; those of the default plan without one, or where its plan is not in the settings any more."""
        name = row.plan if row and row.plan in self.plans.plans else self.plans.default_plan
        plan = self.plans.plans[name]
        own = row.own_fields if row else {}
        return Limits(name, plan.model_copy(update=own), frozenset(own))

    async def get(self, owner: str) -> Owner | None:
        """The row of an owner; None where nothing was set."""
        async with self.database.reading() as session:
            return await session.get(Owner, owner[:OWNER_MAX])

    async def rows(self, owners: Collection[str]) -> Mapping[str, Owner]:
        """Rows of several owners, by name."""
        async with self.database.reading() as session:
            found = await session.scalars(select(Owner).where(Owner.owner.in_(owners)))
            return {row.owner: row for row in found}

    async def set(self, owner: str, plan: str | None, own: Mapping[str, Any], *, by: str) -> Limits:
        """Give an owner a plan (None: the default one) and limits of its own. Raises BadLimits."""
        if not owner.strip() or len(owner) > OWNER_MAX or not owner.isprintable():
            raise BadLimits("owner", f"An owner has 1 to {OWNER_MAX} printable characters.")
        if plan is not None and plan not in self.plans.plans:
            raise BadLimits("plan", f"There is no plan {plan[:40]}: there are {', '.join(self.plans.plans)}.")
        checked = checked_limits(own)
        row = Owner(owner=owner, plan=plan, own=json.dumps(checked), changed_at=utc_now(), changed_by=by[:255])
        async with self.database.writing() as session:
            if plan is None and not checked:
                await session.execute(delete(Owner).where(Owner.owner == owner))
            else:
                await session.merge(row)
        self._known.pop(owner, None)
        self._read.forget(owner)
        return self.resolved(row)

    async def list(
        self, also: Collection[str] = (), *, search: str = "", after: str = "", limit: int = 50
    ) -> OwnerPage:
        """Owners with a key, an upload or a plan, and those of `also`, whose name contains `search` in any case."""
        needle = search.lower()
        # Jobs of schedules are metered too, but theirs are not owners with a plan.
        uploaded = select(OwnerMonth.owner).where(OwnerMonth.pages > 0)
        every = union(select(ApiKey.owner), uploaded, select(Owner.owner)).subquery()
        query = select(every.c.owner).where(every.c.owner > after).order_by(every.c.owner).limit(limit + 1)
        if needle:
            query = query.where(func.lower(every.c.owner).contains(needle, autoescape=True))
        async with self.database.reading() as session:
            found = set(await session.scalars(query))
        found |= {owner for owner in also if owner > after and needle in owner.lower()}
        names = sorted(found)[: limit + 1]
        return OwnerPage(names[:limit], names[limit - 1] if len(names) > limit else None)

    async def pages(self, owners: Collection[str], month: str) -> Mapping[str, int]:
        """Pages uploaded in a month, by owner."""
        query = select(OwnerMonth.owner, OwnerMonth.pages)
        async with self.database.reading() as session:
            rows = await session.execute(query.where(OwnerMonth.owner.in_(owners), OwnerMonth.month == month))
            return {name: pages for name, pages in rows}  # noqa: C416  # rows are not pairs to a type checker


async def add_pages(session: AsyncSession, owner: str, month: str, pages: int) -> int:
    """Count pages to an owner's month; returns its sum. Uploads of one owner wait here for each other's transactions."""
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(OwnerMonth)
    counted = insert.values(owner=owner, month=month, pages=pages).on_conflict_do_update(
        index_elements=[OwnerMonth.owner, OwnerMonth.month], set_={"pages": OwnerMonth.pages + insert.excluded.pages}
    )
    return int((await session.execute(counted.returning(OwnerMonth.pages))).scalar_one())


def checked_limits(own: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of an owner's own, as they are kept. Raises BadLimits for the first that a plan could not have."""
    try:
        plan = Plan.model_validate(dict(own))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = str(problem["loc"][0])
        raise BadLimits(field, f"{field}: {problem['msg'].removeprefix('Value error, ')}.") from None
    return {field: getattr(plan, field) for field in own}
