"""Sessions of the dashboard: used, left alone, ended."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from service.access import sessions as module
from service.access.sessions import LIFE, Sessions
from service.database import Database
from service.database.column_types import utc_now

pytestmark = pytest.mark.both_databases

IDLE = timedelta(minutes=30)


class Clock:
    """The time, moved by a test."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "utc_now", clock)
    return clock


async def begun(sessions: Sessions, name: str = "eva") -> str:
    return await sessions.begin(name, source="password", credential="c", role="viewer", address="192.0.2.1")


async def test_a_session_ends_after_a_time_without_use_and_polls_are_none(database: Database, clock: Clock) -> None:
    sessions = Sessions(database, IDLE)
    token = await begun(sessions)
    clock.ahead = IDLE - timedelta(minutes=1)
    assert await sessions.find(token, uses=True)
    await sessions.close()
    clock.ahead = 2 * IDLE - timedelta(minutes=2)
    assert await Sessions(database, IDLE).find(token, uses=False)
    clock.ahead = 2 * IDLE
    assert await sessions.find(token, uses=True) is None
    assert list(await sessions.list()) == []


async def test_a_session_ends_after_a_day_of_work_however_much_it_is_used(database: Database, clock: Clock) -> None:
    sessions = Sessions(database, IDLE)
    token = await begun(sessions)
    while clock.ahead < LIFE - timedelta(minutes=20):
        clock.ahead += timedelta(minutes=20)
        assert await sessions.find(token, uses=True)
    await sessions.close()
    clock.ahead = LIFE
    assert await sessions.find(token, uses=True) is None


async def test_ending_one_reaches_every_process_and_only_a_digest_is_kept(database: Database) -> None:
    one, other = Sessions(database, IDLE), Sessions(database, IDLE)
    token, second = await begun(one), await begun(one, "ada")
    async with database.reading() as session:
        assert token not in str((await session.execute(text("SELECT * FROM dashboard_sessions"))).all())
    found = await one.find(token, uses=False)
    assert found is not None and found.name == "eva" and await one.find("another", uses=False) is None
    await one.end(found.sha256)
    assert await one.find(token, uses=False) is None and await other.find(token, uses=False) is None
    assert await other.end_all("ada") == 1 and await other.find(second, uses=False) is None


async def test_a_session_that_another_replaces_in_its_browser_ends(database: Database) -> None:
    sessions = Sessions(database, IDLE)
    old, others = await begun(sessions), await begun(sessions)
    assert await sessions.find(old, uses=False)
    new = await sessions.begin("eva", source="password", credential="c", role="viewer", replaces=old)
    assert await sessions.find(old, uses=False) is None
    assert await sessions.find(new, uses=False) and await sessions.find(others, uses=False)
