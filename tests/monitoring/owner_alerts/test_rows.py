"""Addresses and their messages in the database."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from service.database import AlertAddress, AlertMail, Database, open_database
from service.database.column_types import utc_now
from service.monitoring.owner_alerts.conditions import News, Progress
from service.monitoring.owner_alerts.rows import (
    GIVEN_UP,
    KEEP,
    PER_OWNER,
    AlertRows,
    NoSuchAlertAddress,
    TooManyAlertAddresses,
    Wish,
    progress_of,
    wanted,
)
from settings import load_settings

WISH = Wish("Ada@example.com", ["limits"], "en", 60, 30)


async def lived(database: Database) -> None:
    """An address from its registration to its end."""
    rows = AlertRows(database)
    row, mail = await rows.put("acme", WISH, {})
    assert row.state == "pending" and mail and await rows.mail(mail.mail_id)
    assert await rows.confirmed() == [], "nothing is sent before it is confirmed"
    changed, none = await rows.put(
        "acme", Wish("ada@EXAMPLE.com", ["failed"], "de", 5, 9), {"": {"failed": 7, "incomplete": 1}}
    )
    assert none is None and changed.address_id == row.address_id and wanted(changed) == ["failed"]
    assert progress_of(changed).seen == {"": {"failed": 7}}, "ends of before are not told"
    row = await rows.confirm(row.address_id, {"": {"failed": 9}})
    assert (await rows.confirm(row.address_id, {"": {"failed": 99}})).progress == row.progress
    assert [one.address_id for one in await rows.confirmed()] == [row.address_id]
    first = await rows.advance(row, Progress(seen={"": {"failed": 10}}), News(failed=1))
    assert first is not None
    assert await rows.advance(row, Progress(seen={"": {"failed": 10}}), News(failed=1)) is None, (
        "another leader told it"
    )
    await rows.settle(first.mail_id, "sent")
    await rows.settle(first.mail_id, "bounced")
    assert await rows.mail(first.mail_id) is None and (await rows.get(row.address_id)).state == "confirmed"
    row = await rows.get(row.address_id, "acme")
    second = await rows.advance(row, Progress(), News(failed=1))
    assert second is not None and row.mailed_at is not None
    await rows.unsubscribe(row.address_id)
    assert await rows.mail(second.mail_id) is None, "what waits to be sent is not sent"
    with pytest.raises(NoSuchAlertAddress):
        await rows.confirm(row.address_id, {})
    again, mail = await rows.put("acme", WISH, {})
    assert again.address_id != row.address_id and mail is not None and again.state == "pending"
    await rows.settle(mail.mail_id, "bounced")
    assert (await rows.get(again.address_id)).state == "undeliverable"
    for owner in ("globex", ""):
        with pytest.raises(NoSuchAlertAddress, match="there is no alert address"):
            await rows.remove(again.address_id, owner)
    await rows.remove(again.address_id, "acme")
    assert await rows.of("acme") == []


@pytest.mark.both_databases
async def test_an_address_from_its_registration_to_its_end(settings_env: dict[str, str]) -> None:
    async with open_database(load_settings().database_url) as database:
        await lived(database)
        rows = AlertRows(database)
        for number in range(PER_OWNER):
            await rows.put("acme", Wish(f"a{number}@example.com", ["failed"], "en", 60, 30), {})
        with pytest.raises(TooManyAlertAddresses):
            await rows.put("acme", WISH, {})
        await rows.put("globex", WISH, {})
        ages = (timedelta(), timedelta(hours=1), GIVEN_UP + timedelta(hours=1), KEEP + timedelta(hours=1))
        async with database.writing() as session:
            mails = list(await session.scalars(select(AlertMail).order_by(AlertMail.mail_id).limit(len(ages))))
            for mail, age in zip(mails, ages, strict=True):
                mail.created_at = utc_now() - age
        overdue = await rows.unsettled(timedelta(minutes=10))
        assert [one.mail_id for one in overdue] == [mails[1].mail_id]
        assert await rows.forget() == 1
        async with database.reading() as session:
            outcomes = [one.outcome if (one := await session.get(AlertMail, mail.mail_id)) else None for mail in mails]
            assert outcomes == ["", "", "failed", None]
            assert len(list(await session.scalars(select(AlertAddress)))) == PER_OWNER + 1
