"""A migrated database, once on SQLite and once on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from service.database import Database, open_database


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as database:
        yield database
