"""A campaign goes with its job, and not a moment before: its rows are what keeps it from being sent twice."""

import pytest
from sqlalchemy import func, select, update

from service.cleanup import LeftoverFiles
from service.database import Campaign, Database, Delivery, Suppression
from service.database.column_types import utc_now
from service.engine.maintenance import Maintenance
from service.engine.store import keys
from service.mail import campaign_removal
from settings import load_settings
from tests.mail.campaigning import ended, make_template, submit
from tests.mail.conftest import Served, add_users, user
from tests.mail.servers import serving


@pytest.fixture
def maintenance(served: Served) -> Maintenance:
    services = served.services
    return Maintenance(services.settings, services.store, services.jobs)


async def rows(database: Database) -> tuple[int, int]:
    """Campaigns and deliveries."""
    async with database.reading() as session:
        campaigns = await session.scalar(select(func.count()).select_from(Campaign)) or 0
        return campaigns, await session.scalar(select(func.count()).select_from(Delivery)) or 0


async def test_a_deleted_campaign_keeps_its_rows_for_as_long_as_it_can_be_restored(
    acme, served: Served, maintenance: Maintenance, start_worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = served.services
    monkeypatch.setattr(campaign_removal, "ROWS_AT_ONCE", 2)
    await add_users(services.database, *(user(number) for number in range(1, 6)))
    async with services.database.writing() as session:
        session.add(Suppression(address="user5@example.com", reason="unsubscribed"))
    async with serving() as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="0")
        template_id = await make_template(acme)
        job_id, stored = [await submit(acme, segment="all", template_id=template_id) for _ in range(2)]
        for one in (job_id, stored):
            assert (await ended(acme, one))["status"] == "completed"
    assert await rows(services.database) == (2, 10)

    await acme.delete(f"/api/jobs/{job_id}")
    await maintenance.empty_bin()
    assert await rows(services.database) == (2, 10), "it can still be restored, and retried"
    await services.store.restore(job_id)
    await services.jobs.purge(["no-such-job"])
    assert await rows(services.database) == (2, 10)

    await acme.delete(f"/api/jobs/{job_id}")
    await services.store.redis.zadd(keys.BIN, {job_id: 1})
    await maintenance.empty_bin()
    assert await rows(services.database) == (1, 5)

    await services.store.redis.zadd(keys.finished("email-sender"), {stored: 1})
    await maintenance.retain()
    assert await rows(services.database) == (0, 0)
    async with services.database.reading() as session:
        assert [one.address for one in await session.scalars(select(Suppression))] == ["user5@example.com"]


async def test_a_job_that_goes_on_keeps_its_campaign_when_its_purge_was_asked_for(acme, served: Served) -> None:
    services = served.services
    await add_users(services.database, user(1))
    job_id = await submit(acme, segment="all", template_id=await make_template(acme))
    async with services.database.writing() as session:
        session.add(_campaign(job_id))
    await services.jobs.purge([job_id])
    assert await rows(services.database) == (1, 0)


async def test_campaigns_that_a_crash_left_behind_are_swept(acme, served: Served) -> None:
    services = served.services
    leftovers = LeftoverFiles(load_settings(), services.store, services.storage, services.database)
    await add_users(services.database, user(1))
    known = await submit(acme, segment="all", template_id=await make_template(acme))
    async with services.database.writing() as session:
        session.add_all([_campaign(known), _campaign("email-batch-gone"), _campaign("email-batch-new")])
        await session.flush()
        old = Campaign.campaign_id != "email-batch-new"
        await session.execute(update(Campaign).where(old).values(created_at=utc_now().replace(year=2020)))
    assert await leftovers.campaigns(3_600) == 1
    async with services.database.reading() as session:
        assert set(await session.scalars(select(Campaign.campaign_id))) == {known, "email-batch-new"}
    assert await leftovers.campaigns(3_600) == 0


def _campaign(campaign_id: str) -> Campaign:
    texts = {"name": "n", "subject": "s", "html": "h", "text": "t"}
    return Campaign(campaign_id=campaign_id, owner="acme", template_id="t", recipients=0, to_send=0, **texts)
