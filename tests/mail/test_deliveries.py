"""Claims, verdicts and what is made of claims left behind, on SQLite and on PostgreSQL."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from service.database import Database, Delivery, Suppression, UsageEntry
from service.database.column_types import utc_now
from service.lib.tickets import Tickets
from service.mail import smtp_replies
from service.mail.campaigns import CampaignRows
from service.mail.deliveries import EVIDENCE_S, Claim, DeliveryRows
from service.mail.smtp_replies import DeliveryResult, result_of
from service.mail.smtp_transaction import Reply
from service.mail.unsubscribe import Links, Unsubscriptions
from tasks.mail.template import Source
from tasks.ports.mail import StoredTemplate
from tests.mail.conftest import add_users, user

ROOT = Path(__file__).parents[2]
LINKS = Links("https://example.org", b"a key for tests only")
WORDS = StoredTemplate("template-1", "news", Source("s", "<p>h</p>", "t"))
SENT = Reply(250, "kept", "content")


@pytest.fixture
def campaigns(database: Database) -> CampaignRows:
    return CampaignRows(database, LINKS, "news@example.org", Tickets(b"a key for this test"))


@pytest.fixture
async def rows(database: Database, campaigns: CampaignRows, tmp_path: Path) -> AsyncIterator[DeliveryRows]:
    """A campaign "c" to ten users."""
    await add_users(database, *(user(n) for n in range(1, 11)))
    await campaigns.open("c", "acme", WORDS, segment="all", user_ids=None)
    rows = DeliveryRows(database, tmp_path / "journals")
    yield rows
    await rows.close()


async def delivery(database: Database, position: int, campaign_id: str = "c") -> Delivery:
    async with database.reading() as session:
        return await session.get_one(Delivery, (campaign_id, position))


async def claimed(rows: DeliveryRows, position: int) -> Claim:
    claim = await rows.claim("c", position)
    assert claim is not None
    return claim


async def charged(database: Database) -> list[tuple[str, int]]:
    async with database.reading() as session:
        rows = await session.execute(select(UsageEntry.owner, UsageEntry.amount).where(UsageEntry.field == "mails"))
        return [(owner, amount) for owner, amount in rows]  # rows are not pairs to a type checker


async def test_a_message_that_was_sent_is_charged_once(rows: DeliveryRows, database: Database) -> None:
    claim, refused = await claimed(rows, 1), await claimed(rows, 2)
    sent = result_of(SENT, claim.tries)
    await rows.settle(claim, sent)
    await rows.settle(claim, sent)
    await rows.settle(Claim(claim.campaign_id, claim.position, claim.number + 1, 0), sent)
    await rows.settle(refused, result_of(Reply(550, "no such user", "recipient"), refused.tries))
    assert await charged(database) == [("acme", 1)]


async def test_of_many_claims_one_wins(rows: DeliveryRows, database: Database, tmp_path: Path) -> None:
    others = [DeliveryRows(database, tmp_path / "journals") for _ in range(4)]
    tries = [who.claim("c", position) for who in (rows, *others) for position in range(1, 11)]
    won = [claim for claim in await asyncio.gather(*tries) if claim is not None]
    assert sorted(claim.position for claim in won) == list(range(1, 11))
    await asyncio.gather(*(who.close() for who in others))


async def test_what_was_settled_is_not_claimed_again(rows: DeliveryRows, database: Database) -> None:
    await rows.settle(await claimed(rows, 1), result_of(SENT, 0))
    await rows.settle(await claimed(rows, 2), result_of(Reply(550, "no such user", "recipient"), 0))
    assert [await rows.claim("c", position) for position in (1, 2)] == [None, None]
    assert await rows.due("c", range(1, 11)) == list(range(3, 11))
    assert ((await delivery(database, 2)).status, (await delivery(database, 2)).smtp_code) == ("bounced", 550)


async def test_a_temporary_refusal_waits_and_is_given_up_in_the_end(
    rows: DeliveryRows, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows.settle(await claimed(rows, 1), result_of(Reply(451, "later", "recipient"), 0))
    assert 1 not in await rows.due("c", [1, 2])
    left = await rows.outstanding("c", [1])
    assert left.count == 1 and 0 < left.wait_s <= 5 and left.reason == "451 later"
    monkeypatch.setattr(smtp_replies, "FIRST_WAIT_S", 0.0)
    for number in range(2, smtp_replies.TRIES_MAX + 1):
        async with database.writing() as session:
            await session.execute(update(Delivery).where(Delivery.position == 1).values(due_at=utc_now()))
        assert await rows.due("c", [1]) == [1]
        claim = await claimed(rows, 1)
        assert claim.tries == number - 1
        await rows.settle(claim, result_of(Reply(451, "later", "recipient"), claim.tries))
    row = await delivery(database, 1)
    assert (row.status, row.tries) == ("failed", smtp_replies.TRIES_MAX)
    assert row.smtp_text == f"given up after {smtp_replies.TRIES_MAX} tries: later"


async def test_two_bounces_suppress_an_address_and_a_refused_sender_none(
    rows: DeliveryRows, campaigns: CampaignRows, database: Database
) -> None:
    for campaign_id in ("c", "second"):
        await campaigns.open(campaign_id, "acme", WORDS, segment="all", user_ids=None)
        for position, step in ((1, "recipient"), (2, "sender")):
            claim = await rows.claim(campaign_id, position)
            assert claim is not None
            await rows.settle(claim, result_of(Reply(550, "no", step), 0))  # type: ignore[arg-type]  # a literal of the loop
    async with database.reading() as session:
        assert await session.get(Suppression, "user1@example.com") is not None
        assert await session.get(Suppression, "user2@example.com") is None
    third = await campaigns.open("third", "acme", WORDS, segment="all", user_ids=None)
    assert (third.recipients, third.to_send) == (10, 9)
    assert (await delivery(database, 10, "third")).smtp_text == "bounced 2 times"


async def test_whoever_unsubscribes_half_way_gets_nothing_more(rows: DeliveryRows, database: Database) -> None:
    await Unsubscriptions(database, LINKS).unsubscribe(LINKS.token(4))
    assert await rows.claim("c", 4) is None
    row = await delivery(database, 4)
    assert (row.status, row.smtp_text) == ("suppressed", "unsubscribed")


async def test_a_late_answer_still_counts_unless_somebody_asked_again(rows: DeliveryRows, database: Database) -> None:
    first, second = await claimed(rows, 1), await claimed(rows, 2)
    for claim in (first, second):
        await rows.settle(claim, DeliveryResult("unknown", text="nobody knows"))
    await rows.settle(first, result_of(SENT, 0))
    assert (await delivery(database, 1)).status == "sent"
    assert await rows.reopen("c") == [2]
    await rows.settle(second, result_of(SENT, 0))
    assert (await delivery(database, 2)).status == "pending", "its claim was fenced off"


LEAVER = """
import asyncio, os, sys
from pathlib import Path
from service.database import Database
from service.mail.deliveries import DeliveryRows
from service.mail.smtp_transaction import Reply
async def main():
    rows = DeliveryRows(Database(sys.argv[1]), Path(sys.argv[2]))
    claims = [await rows.claim("c", position) for position in range(1, 6)]
    for claim in claims[1:]:
        rows.record_dot(claim)
    for claim, code in zip(claims[2:], (250, 550, 451)):
        rows.record_reply(claim, Reply(code, "said", "recipient"))
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


async def test_claims_of_a_killed_worker_are_judged_by_its_journal(
    rows: DeliveryRows, database: Database, either_url: str, tmp_path: Path
) -> None:
    leaving = [sys.executable, "-c", LEAVER, either_url, str(tmp_path / "journals")]
    assert (await asyncio.to_thread(subprocess.run, leaving, cwd=ROOT, check=False)).returncode == -9
    due = await rows.due("c", range(1, 6))
    assert due == [1], "its dot was never sent"
    statuses = [(await delivery(database, position)).status for position in range(1, 6)]
    assert statuses == ["pending", "unknown", "sent", "bounced", "pending"]
    assert (await delivery(database, 5)).due_at is not None, "451 waits"


async def test_without_evidence_a_claim_is_in_doubt_after_a_while(
    rows: DeliveryRows, database: Database, tmp_path: Path
) -> None:
    another = DeliveryRows(database, tmp_path / "journals")
    await claimed(another, 1)
    elsewhere: dict[str, Any] = {"claimed_by": "another-machine.1.abc"}
    async with database.writing() as session:
        await session.execute(update(Delivery).where(Delivery.position == 1).values(elsewhere))
    assert await rows.due("c", [1]) == []
    left = await rows.outstanding("c", [1])
    assert left.count == 1 and 0 < left.wait_s <= EVIDENCE_S
    long_ago = {"changed_at": utc_now() - timedelta(seconds=EVIDENCE_S)}
    async with database.writing() as session:
        await session.execute(update(Delivery).where(Delivery.position == 1).values(long_ago))
    assert await rows.due("c", [1]) == []
    assert (await delivery(database, 1)).status == "unknown"
    await another.close()


async def test_whom_a_campaign_goes_to(campaigns: CampaignRows, database: Database) -> None:
    await add_users(
        database, user(1), user(2, email="not an address"), user(3, email="USER1@Example.com"), user(4, active=False)
    )
    async with database.writing() as session:
        session.add(Suppression(address="user4@example.com", reason="unsubscribed"))
    ids = [1, 2, 3, 1, 99, 4, 99]
    opened = await campaigns.open("c", "acme", WORDS, segment=None, user_ids=ids)
    assert (opened.recipients, opened.to_send) == (5, 1)
    found = [row async for row in campaigns.report("c")]
    assert [(row["user_id"], row["outcome"]) for row in found] == [
        (1, "pending"), (2, "skipped"), (3, "skipped"), (99, "skipped"), (4, "suppressed"),
    ]  # fmt: skip
    assert [row["smtp_text"] for row in found][2:4] == ["the same address as user 1", "no such user"]
    again = await campaigns.open("c", "acme", WORDS, segment="all", user_ids=None)
    assert again == opened, "a second opening finds the first"


async def test_segments(campaigns: CampaignRows, database: Database) -> None:
    await add_users(
        database, user(1), user(2, digest=True), user(3, active=False, digest=True), user(4, plan="pro"),
    )  # fmt: skip
    sizes = {
        name: await campaigns.segment_size(name) for name in ("all", "active", "digest", "free", "pro", "enterprise")
    }
    assert sizes == {"all": 4, "active": 3, "digest": 1, "free": 2, "pro": 1, "enterprise": 0}


async def test_a_user_who_goes_meanwhile_is_skipped(
    campaigns: CampaignRows, rows: DeliveryRows, database: Database
) -> None:
    async with database.writing() as session:
        await session.delete(await session.merge(user(3)))
    letters = await campaigns.letters("c", range(1, 11))
    assert [letter.position for letter in letters] == [1, 2, *range(4, 11)]
    assert Counter(await campaigns.counts("c")) == {"pending": 9, "skipped": 1}
