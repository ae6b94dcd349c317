"""Deterministic rows for the audit log: the same number gives the same rows, on any machine and on any day."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.database.audit import Event
from service.database.base import Base
from service.database.connection import Database
from settings import load_settings

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""When the seeded log begins. A fixed day, so that filters in examples keep finding what they say they find."""

MEAN_GAP_S = 25.0
"""Seconds between two events: 100,000 of them cover a month, as in an installation of some size."""

BATCH = 2_000
"""Rows a statement inserts: two dozen thousand values, under PostgreSQL's 32,767 a statement."""

ACTIONS = {
    "job.queued": "job",
    "job.retried": "job",
    "job.cancelled": "job",
    "file.uploaded": "document",
    "file.deleted": "document",
    "template.changed": "template",
    "campaign.started": "campaign",
    "user.signed-in": "user",
}
ROLES = ("owner", "operator", "viewer", "schedule")
OUTCOMES = ("done",) * 18 + ("refused", "failed")
DETAILS = (
    None,
    "",
    "from the dashboard",
    "Quarterly report, final (2).pdf",
    '"quoted", with commas, and a\nsecond line',
    "=SUM(A1:A9)",
    "-12.5 %",
    "@team: see ticket 4711",
    "Größe geändert: 12 → 14 pt",
    "مرحبا بالعالم",
    "签名已更新 ✅ 👩‍💻",
    "0012345",
)
"""Values that a spreadsheet may stumble over, among ordinary ones."""


async def seed_events(database: Database, count: int, owners: Sequence[str] | None = None) -> int:
    """Write the events numbered 1 to `count`, those that are there already excepted; answers how many were added.

    They belong by turns to `owners`, by default to those of the API keys in the settings.
    """
    owners = sorted(set(owners or load_settings().api_keys.values()))
    table = Base.metadata.tables["events"]
    insert = sqlite.insert if database.sqlite else postgresql.insert
    rows = seeded_events(count, owners)
    # The table and not the class: the unit of work would handle each row alone, at more than twice the cost.
    async with database.writing() as session:
        before = await session.scalar(select(func.count()).select_from(Event))
        while batch := list(islice(rows, BATCH)):
            await session.execute(insert(table).on_conflict_do_nothing(), batch)
        after = await session.scalar(select(func.count()).select_from(Event))
    return (after or 0) - (before or 0)


def seeded_events(count: int, owners: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows themselves, oldest first."""
    dice = random.Random("offload events")
    moment = FIRST
    names = list(ACTIONS)
    for number in range(1, count + 1):
        moment += timedelta(milliseconds=round(dice.expovariate(1 / MEAN_GAP_S) * 1000))
        action = dice.choice(names)
        owner = owners[number % len(owners)]
        yield {
            "event_id": event_id(number),
            "created_at": moment,
            "owner": owner,
            "actor": f"{dice.choice(('ada', 'grace', 'linus', 'margaret'))}@{owner}.example",
            "role": dice.choice(ROLES),
            "action": action,
            "target_type": ACTIONS[action],
            "target_id": f"{ACTIONS[action]}-{dice.getrandbits(48):012x}",
            "outcome": dice.choice(OUTCOMES),
            "address": f"192.0.2.{dice.randrange(1, 255)}" if dice.random() < 0.9 else None,
            "took_ms": round(dice.lognormvariate(3, 1), 3),
            "detail": dice.choice(DETAILS),
        }


def event_id(number: int) -> str:
    """The id of the seeded event of that number."""
    return f"event-seed-{number:09}"
