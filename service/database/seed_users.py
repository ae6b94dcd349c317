"""Deterministic users: the same number gives the same rows, on any machine and on any day."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.database.base import Base
from service.database.connection import Database
from service.database.mail import User

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first of them signed up."""

BATCH = 2_000
"""Rows a statement inserts: 16,000 values, under PostgreSQL's 32,767 a statement."""

GIVEN_NAMES = ("Ada", "Grace", "Linus", "Margaret", "Jürgen", "Zoë", "Łukasz", "Noor", "Wei", "O'Brien")
FAMILY_NAMES = (
    "Lovelace",
    "Hopper",
    "Larsson",
    "Hamilton",
    "Müller",
    "Åström",
    "Nowak",
    "de la Cruz",
    "李",
    "Smith & Sons",
)
LOCALES = ("en", "en", "en", "de", "fr", "pl", "zh")
PLANS = ("free", "free", "free", "pro", "enterprise")


async def seed_users(database: Database, count: int) -> int:
    """Write users 1 to `count`, those that are there already excepted; answers how many were added."""
    table = Base.metadata.tables["users"]
    insert = sqlite.insert if database.sqlite else postgresql.insert
    rows = seeded_users(count)
    async with database.writing() as session:
        before = await session.scalar(select(func.count()).select_from(User))
        while batch := list(islice(rows, BATCH)):
            await session.execute(insert(table).on_conflict_do_nothing(), batch)
        after = await session.scalar(select(func.count()).select_from(User))
    return (after or 0) - (before or 0)


def seeded_users(count: int) -> Iterator[dict[str, Any]]:
    """The rows themselves. Nine in ten are active; names hold what a template must escape and a header must encode."""
    dice = random.Random("offload users")
    for number in range(1, count + 1):
        yield {
            "id": number,
            "email": f"user{number}@example.com",
            "name": f"{dice.choice(GIVEN_NAMES)} {dice.choice(FAMILY_NAMES)}",
            "active": dice.random() < 0.9,
            "locale": dice.choice(LOCALES),
            "plan": dice.choice(PLANS),
            "digest": dice.random() < 0.5,
            "created_at": FIRST + timedelta(minutes=7 * number),
        }
