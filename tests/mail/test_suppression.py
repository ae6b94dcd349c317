"""The list of addresses that are not written to, and how one comes to be on it."""

from collections.abc import AsyncIterator

import pytest

from service.database import Campaign, Database, Delivery, Suppression, open_database
from service.mail import suppression
from service.mail.suppression import suppress, suppress_after_bounces, suppressed


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    async with open_database(sqlite_url) as database:
        yield database


async def listed(database: Database, *addresses: str) -> dict[str, str]:
    async with database.reading() as session:
        return await suppressed(session, addresses)


async def test_the_first_reason_stays(database: Database) -> None:
    async with database.writing() as session:
        connection = await session.connection()
        await connection.run_sync(suppress, "ada@example.com", "unsubscribed")
        await connection.run_sync(suppress, "ada@example.com", "bounced 2 times")
    assert await listed(database, "ada@example.com", "bob@example.com") == {"ada@example.com": "unsubscribed"}


@pytest.mark.parametrize(
    ("refusals", "listed_after"),
    [
        ([True], False),
        ([True, True], True),
        # A full mailbox bounces too; it says nothing against the address.
        ([True, None], False),
        ([True, False], False),
    ],
)
async def test_an_address_is_listed_after_two_bounces_that_deny_it(
    database: Database, refusals: list[bool | None], listed_after: bool
) -> None:
    await bounced(database, "ada@example.com", refusals)
    async with database.writing() as session:
        await (await session.connection()).run_sync(suppress_after_bounces, "ada@example.com")
    assert ("ada@example.com" in await listed(database, "ada@example.com")) is listed_after


async def bounced(database: Database, address: str, refusals: list[bool | None]) -> None:
    async with database.writing() as session:
        session.add(campaign("c1"))
        await session.flush()
        for number, refused in enumerate(refusals):
            session.add(
                Delivery(
                    campaign_id="c1",
                    position=number,
                    user_id=number,
                    address=address,
                    status="bounced",
                    address_refused=refused,
                    message_id=f"<{number}@example.com>",
                )
            )


def campaign(campaign_id: str) -> Campaign:
    columns = Campaign.__table__.columns
    text = {c.key: "x" for c in columns if not c.nullable and c.default is None and c.type.python_type is str}
    numbers = {c.key: 0 for c in columns if not c.nullable and c.default is None and c.type.python_type is int}
    return Campaign(**{**text, **numbers, "campaign_id": campaign_id})


async def test_more_addresses_than_one_query_takes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "BATCH_SIZE", 2)
    addresses = [f"user{number}@example.com" for number in range(5)]
    async with database.writing() as session:
        session.add_all([Suppression(address=address, reason="bounced") for address in addresses])
    assert sorted(await listed(database, *addresses)) == addresses
