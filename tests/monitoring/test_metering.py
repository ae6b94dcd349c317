"""Use of owners by month: exact where attempts are repeated, processes die and batches are taken twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from service.database import Database, Document, OwnerMonth, UsageEntry, open_database
from service.database.column_types import utc_now
from service.database.usage import month_name, month_span, stored_by_month
from service.documents.quota import meter_removed
from service.engine.outcomes import OutcomeKind
from service.engine.store import Job, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.store.usage_counts import UsageCounts
from service.monitoring.metering import Metering, MonthUse
from tests.parts import KNOWN, Parts
from tests.waiting import wait_until_async

pytestmark = pytest.mark.both_databases

QUEUE = "thumbnails"


class Meters:
    """An installation whose use is carried over when the test says so."""

    def __init__(self, parts: Parts, database: Database) -> None:
        self.store, self.parts, self.database = parts.store, parts, database
        self.metering = Metering(database, UsageCounts(parts.store.redis))

    async def claim(self, lease_ms: int = 60_000) -> Job:
        claim = Claim(QUEUE, "w", 1, lease_ms, KNOWN, reap=True)
        found: list[Job] = []

        async def claimed() -> bool:
            found.extend((await self.store.claimed(claim)).jobs)
            return bool(found)

        await wait_until_async(claimed)
        return found[0]

    async def end(self, job: Job, kind: OutcomeKind, **more: Any) -> str:
        return (await self.store.settled([Outcome(job.id, QUEUE, job.fence, kind, **more)]))[0]

    async def month(self, owner: str = "acme") -> MonthUse:
        """Use of the present month, carried over."""
        await self.metering.carry()
        month = month_name(utc_now())
        found = await self.metering.of_month(month, [owner])
        return found[0] if found else MonthUse(owner, month)


@pytest.fixture
async def meters(parts: Parts) -> AsyncIterator[Meters]:
    async with open_database(parts.settings.database_url) as database:
        yield Meters(parts, database)


async def test_pages_count_as_delivered_and_cpu_time_as_spent(meters: Meters) -> None:
    await meters.parts.echo(2)
    job = await meters.claim()
    assert await meters.end(job, OutcomeKind.RETRY, cpu_ms=1_000, usage={"pages_read": 7}) == "retrying"
    other = await meters.claim()
    outcome = {"cpu_ms": 250, "usage": {"pages_read": 7}}
    assert await meters.end(other, OutcomeKind.COMPLETED, **outcome) == "completed"
    assert await meters.end(other, OutcomeKind.COMPLETED, **outcome) == "lost", "a report that is sent twice"
    found = await meters.month()
    assert (found.jobs, found.pages_read, found.cpu_ms) == (1, 7, 1_250)
    assert await meters.month() == found, "there is nothing more to carry"
    assert await meters.month("globex") == MonthUse("globex", found.month)


async def test_an_attempt_that_died_is_charged_what_its_renewals_told(meters: Meters) -> None:
    await meters.parts.echo()
    dead = await meters.claim(lease_ms=60_000)
    for cpu_ms in (400, 400, 900):
        assert await meters.store.renewed(QUEUE, 1, [(dead.id, dead.fence, cpu_ms)]) == ([], [])
    again = await meters.claim()
    assert (again.id, again.attempt) == (dead.id, 2)
    await meters.store.renewed(QUEUE, 60_000, [(again.id, again.fence, 300)])
    assert await meters.end(again, OutcomeKind.COMPLETED, cpu_ms=500, renewed=True) == "completed"
    found = await meters.month()
    assert (found.jobs, found.cpu_ms) == (1, 1_400)
    assert await meters.store.redis.hexists(keys.job(again.id), "metered") == 0


async def test_a_batch_that_is_written_twice_counts_once(meters: Meters, monkeypatch: pytest.MonkeyPatch) -> None:
    await meters.parts.echo()
    await meters.end(await meters.claim(), OutcomeKind.COMPLETED, cpu_ms=70)
    written = meters.metering._write

    async def write_and_die(*args: Any) -> None:
        await written(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(meters.metering, "_write", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            await meters.metering.carry()
    assert await meters.store.redis.exists(keys.USAGE_TAKEN) == 1
    found = await meters.month()
    assert (found.jobs, found.cpu_ms) == (1, 70)
    assert await meters.store.redis.exists(keys.USAGE_TAKEN, keys.USAGE) == 0


async def test_entries_count_before_and_after_they_are_added_up(meters: Meters) -> None:
    month = month_name(utc_now())
    async with meters.database.writing() as session:
        session.add_all(UsageEntry(owner="acme", month=month, field="mails", amount=n) for n in (3, 4))
    (before,) = await meters.metering.of_month(month)
    await meters.metering.carry()
    async with meters.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(UsageEntry)) == 0
        row = await session.get_one(OwnerMonth, ("acme", month))
    assert before == (await meters.metering.of_month(month))[0] and row.mails == before.mails == 7


async def test_deliveries_of_webhooks_are_their_owners_use(meters: Meters) -> None:
    day = utc_now().timestamp() // 86_400
    await meters.store.redis.hset(keys.USAGE, f"cpu_ms|{day:.0f}|webhooks:a|b", 5)
    assert (await meters.month("a|b")).cpu_ms == 5


def document(file_id: str, path: str, created_at: datetime) -> Document:
    return Document(
        file_id=file_id, owner="acme", name="n", bytes=1_000_000, sha256="s", media_type="application/pdf", pages=1,
        path=path, created_at=created_at,
    )  # fmt: skip


async def test_stored_bytes_count_by_the_time_that_they_are_kept(meters: Meters) -> None:
    begin = datetime(2020, 1, 31, tzinfo=UTC)
    days = timedelta(days=1)
    async with meters.database.writing() as session:
        session.add_all([document("a", "p", begin), document("b", "p", begin + 2 * days), document("c", "q", begin)])

    async def kept(month: str) -> int:
        return round((await meters.metering.of_month(month))[0].stored_byte_days / 1_000_000)

    assert [await kept("2020-01"), await kept("2020-02")] == [2, 58], "the same bytes count once"

    async def remove(file_id: str) -> None:
        async with meters.database.writing() as session:
            gone = await session.get_one(Document, file_id)
            await session.execute(delete(Document).where(Document.file_id == file_id))
            await meter_removed(session, gone)

    await remove("a")
    assert [await kept("2020-01"), await kept("2020-02")] == [2, 58], "another stands for them"
    await remove("b")
    await remove("c")
    await meters.metering.carry()
    assert [await kept("2020-01"), await kept("2020-02")] == [2, 58], "what was kept has been kept"
    present = (await meters.metering.of_month(month_name(utc_now())))[0].stored_byte_days
    passed_s = (utc_now() - month_span(month_name(utc_now()))[0]).total_seconds()
    assert present == pytest.approx(2_000_000 * passed_s / 86_400, rel=0.01, abs=2_000)


def test_a_span_over_a_new_year_is_divided_by_months() -> None:
    since = datetime(2025, 12, 31, 12, tzinfo=UTC)
    assert stored_by_month(2_000, since, since + timedelta(days=1)) == {"2025-12": 86_400, "2026-01": 86_400}
