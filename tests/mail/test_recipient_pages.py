"""A campaign's recipients are read a page at a time, each row once."""

from datetime import UTC, datetime

from service.database import Database, Delivery, open_database
from service.mail.recipient_pages import REPLY_CHARACTERS, recipients_page
from tests.mail.test_suppression import campaign

CHANGED = datetime(2026, 5, 1, tzinfo=UTC)


async def fill(database: Database) -> None:
    async with database.writing() as session:
        session.add_all([campaign("c1"), campaign("c2")])
        await session.flush()
        for number in range(1, 6):
            session.add(
                Delivery(
                    campaign_id="c1",
                    position=number,
                    user_id=-1 if number == 5 else number,
                    email=f"user{number}@example.com",
                    status="sent" if number % 2 else "bounced",
                    smtp_code=250,
                    smtp_text="x" * 1000 if number == 1 else "",
                    message_id=f"<{number}@example.com>",
                    changed_at=CHANGED,
                )
            )
        session.add(Delivery(campaign_id="c2", position=1, user_id=1, status="sent", message_id="<9@example.com>"))


async def test_pages_follow_each_other_without_a_gap(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as database:
        await fill(database)
        seen, after, pages = [], 0, 0
        while True:
            rows, following = await recipients_page(database, "c1", after=after, limit=2)
            seen += [row.position for row in rows]
            pages += 1
            if following is None:
                break
            after = following
        assert (seen, pages) == ([1, 2, 3, 4, 5], 3)
        bounced, more = await recipients_page(database, "c1", status="bounced", limit=2)
        assert ([row.position for row in bounced], more) == ([2, 4], None)


async def test_a_row_says_no_more_than_a_page_can_show(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as database:
        await fill(database)
        rows, _ = await recipients_page(database, "c1")
    first, second, *_, of_a_file = rows
    assert len(first.reply or "") == REPLY_CHARACTERS and second.reply is None
    assert (first.user_id, of_a_file.user_id) == ("1", "–")
    assert first.changed_ms == int(CHANGED.timestamp() * 1000)
