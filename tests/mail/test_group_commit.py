"""Transactions that many small writes share, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import Connection, func, insert, select, text

from service.database import Base, Database, Suppression
from service.database.column_types import utc_now
from service.mail.group_commit import GroupedWrites

TABLE = Base.metadata.tables["suppressions"]


@pytest.fixture
async def writes(database: Database) -> AsyncIterator[GroupedWrites]:
    writes = GroupedWrites(database)
    yield writes
    await writes.close()


calls: list[list[str]] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def add(connection: Connection, addresses: Sequence[str]) -> list[str]:
    calls.append(list(addresses))
    rows = [{"address": one, "reason": "asked", "created_at": utc_now()} for one in addresses]
    connection.execute(insert(TABLE), rows)
    return [one.upper() for one in addresses]


def count(connection: Connection, items: Sequence[int]) -> list[int]:
    return [connection.scalar(select(func.count()).select_from(TABLE)) or 0] * len(items)


def fail(connection: Connection, items: Sequence[int]) -> list[int]:
    connection.execute(text("SELECT nothing FROM nowhere"))
    return list(items)


async def stored(database: Database) -> set[str]:
    async with database.reading() as session:
        return set(await session.scalars(select(Suppression.address)))


async def test_what_gathers_is_written_together_and_answered_one_by_one(
    writes: GroupedWrites, database: Database
) -> None:
    names = [f"user{number}" for number in range(20)]
    assert await asyncio.gather(*(writes.run(add, name) for name in names)) == [name.upper() for name in names]
    assert await stored(database) == set(names)
    assert len(calls) < len(names)


async def test_what_is_in_no_hurry_goes_with_the_next_and_never_after_it(writes: GroupedWrites) -> None:
    first = asyncio.create_task(writes.run(add, "a", in_no_hurry=True))
    await asyncio.sleep(0)
    assert await writes.run(count, 0) == 1
    assert await first == "A"


async def test_what_is_in_no_hurry_is_written_all_the_same(writes: GroupedWrites, database: Database) -> None:
    assert await writes.run(add, "a", in_no_hurry=True) == "A"
    assert await stored(database) == {"a"}


async def test_an_error_undoes_the_whole_transaction_and_not_the_next(
    writes: GroupedWrites, database: Database
) -> None:
    answers = await asyncio.gather(writes.run(add, "a"), writes.run(fail, 1), return_exceptions=True)
    assert all(isinstance(answer, Exception) for answer in answers)
    assert await stored(database) == set()
    assert await writes.run(add, "a") == "A"
