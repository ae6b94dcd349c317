"""Saved views of the jobs page: named filters of a user, and those that operators share with all."""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now
from service.database.connection import Database

NAME_MAX = 60
"""Characters of a name: it stands in a narrow column."""

FILTER_MAX = 2_000
"""Characters of a filter: as many as the language reads."""

OWN_MAX = 50
SHARED_MAX = 50
"""Views of one user, and of all: more could not be looked through in a list."""

SHARED = ""
"""In the place of a user's name."""


class SavedView(Base):
    """A named filter. `filter` is a query in the language of docs/finding-jobs.md; it may name what no longer exists."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_name", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_name: Mapped[str] = mapped_column(String(255))
    """Its user; SHARED for one of all."""
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    filter: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    created_by: Mapped[str] = mapped_column(String(255))

    @property
    def shared(self) -> bool:
        return self.user_name == SHARED


class DefaultView(Base):
    """The view that a user's jobs page opens with."""

    __tablename__ = "default_views"

    user_name: Mapped[str] = mapped_column(String(255), primary_key=True)
    view_id: Mapped[str] = mapped_column(String(32))


class NoSuchView(Exception):
    """There is no such view, or it is another user's."""

    def __init__(self, view_id: str) -> None:
        super().__init__(f"there is no saved view {view_id[:40]}")


class BadView(Exception):
    """A view cannot be saved so; the message is the sentence."""


class SavedViews:
    """Reads and changes views. Who may change a shared one is decided by the caller."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of(self, user: str) -> Sequence[SavedView]:
        """A user's own views, then the shared ones, by name."""
        async with self.database.reading() as session:
            found = await session.scalars(select(SavedView).where(SavedView.user_name.in_((user, SHARED))))
            return sorted(found, key=lambda view: (view.shared, view.name.casefold()))

    async def get(self, view_id: str, user: str) -> SavedView:
        """A view that a user sees. Raises NoSuchView."""
        async with self.database.reading() as session:
            view = await session.get(SavedView, view_id[:32])
        if view is None or view.user_name not in (user, SHARED):
            raise NoSuchView(view_id)
        return view

    async def save(self, name: str, text: str, *, user: str, by: str) -> SavedView:
        """Save a filter under a name; `user` is SHARED for one of all. Raises BadView."""
        if not text or len(text) > FILTER_MAX:
            raise BadView(f"A view needs a filter, of {FILTER_MAX:,} characters at most.")
        view = SavedView(
            id=secrets.token_hex(8), user_name=user, name=checked_name(name), filter=text, created_by=by[:255]
        )
        most = OWN_MAX if user else SHARED_MAX
        try:
            async with self.database.writing() as session:
                count = select(func.count()).select_from(SavedView).where(SavedView.user_name == user)
                if (await session.scalar(count) or 0) >= most:
                    whose = "You have" if user else "There are"
                    raise BadView(f"{whose} {most} {'' if user else 'shared '}views already: delete one first.")
                session.add(view)
        except IntegrityError:
            raise _taken(view.name, shared=not user) from None
        return view

    async def rename(self, view: SavedView, name: str) -> str:
        """Returns the new name as it is kept. Raises BadView."""
        name = checked_name(name)
        try:
            async with self.database.writing() as session:
                await session.execute(update(SavedView).where(SavedView.id == view.id).values(name=name))
        except IntegrityError:
            raise _taken(name, shared=view.shared) from None
        return name

    async def delete(self, view: SavedView) -> None:
        """Delete a view; it is no user's default any more."""
        async with self.database.writing() as session:
            await session.execute(delete(SavedView).where(SavedView.id == view.id))
            await session.execute(delete(DefaultView).where(DefaultView.view_id == view.id))

    async def default_of(self, user: str) -> SavedView | None:
        """The view that a user's jobs page opens with; None for all jobs."""
        query = (
            select(SavedView)
            .join(DefaultView, DefaultView.view_id == SavedView.id)
            .where(DefaultView.user_name == user, SavedView.user_name.in_((user, SHARED)))
        )
        async with self.database.reading() as session:
            found: SavedView | None = await session.scalar(query)
        return found

    async def make_default(self, user: str, view: SavedView | None) -> None:
        """Open a user's jobs page with a view; with all jobs for None."""
        async with self.database.writing() as session:
            await session.execute(delete(DefaultView).where(DefaultView.user_name == user))
            if view is not None:
                session.add(DefaultView(user_name=user, view_id=view.id))


async def forget_views(session: AsyncSession, user: str) -> None:
    """Delete a user's own views and default."""
    await session.execute(delete(SavedView).where(SavedView.user_name == user))
    await session.execute(delete(DefaultView).where(DefaultView.user_name == user))


def checked_name(name: str) -> str:
    """The name without superfluous blanks. Raises BadView where it is empty, too long or not to be read."""
    name = " ".join(name.split())
    if not name:
        raise BadView("A view needs a name.")
    if len(name) > NAME_MAX:
        raise BadView(f"The name has {len(name):,} characters: {NAME_MAX} at most are kept.")
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in name):
        raise BadView("The name has a sign that cannot be seen, such as one that turns the direction of writing.")
    return name


def _taken(name: str, *, shared: bool) -> BadView:
    return BadView(f"There is a {'shared ' if shared else ''}view {name} already: choose another name.")
