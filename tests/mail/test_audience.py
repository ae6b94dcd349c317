"""Each recipient once, each with its reason where nothing is sent."""

from service.database import open_database
from service.mail.audience import Recipient, check_addresses, check_suppressed, recipients, segment_size
from service.mail.suppression import suppress
from tests.mail.conftest import add_users, user


def checked(*found: Recipient) -> list[tuple[str, str | None]]:
    check_addresses(found)
    return [(one.status, one.reason) for one in found]


def test_a_user_that_does_not_exist_is_skipped() -> None:
    assert checked(Recipient(7, None)) == [("skipped", "no such user")]


def test_an_address_that_cannot_be_written_to_is_skipped_with_the_reason() -> None:
    ((status, reason),) = checked(Recipient(1, "no at sign"))
    assert status == "skipped" and reason


def test_one_address_gets_one_message_whatever_its_case() -> None:
    found = checked(Recipient(1, "Ada@Example.com"), Recipient(2, "ada@example.COM "), Recipient(3, "bob@example.com"))
    assert found == [("pending", None), ("skipped", "the same address as user 1"), ("pending", None)]


def test_a_recipient_of_a_file_is_not_called_a_user() -> None:
    found = checked(Recipient(-4, "ada@example.com"), Recipient(5, "ada@example.com"))
    assert found[1] == ("skipped", "the same address as recipient 4")


async def test_segments_and_lists_of_ids_are_read_in_their_order(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as database:
        await add_users(database, user(1), user(2, active=False), user(3, plan="pro"), user(4, digest=True))
        async with database.reading() as session:
            by_segment = {
                name: [one.user_id for one in await recipients(session, segment=name, user_ids=None)]
                for name in ("all", "active", "pro", "digest")
            }
            by_id = await recipients(session, segment=None, user_ids=[3, 9, 1, 3])
            assert await segment_size(session, "active") == 3
    assert by_segment == {"all": [1, 2, 3, 4], "active": [1, 3, 4], "pro": [3], "digest": [4]}
    assert [(one.user_id, one.email is None) for one in by_id] == [(3, False), (9, True), (1, False)]


async def test_a_suppressed_address_keeps_the_reason_of_the_list(sqlite_url: str) -> None:
    found = [Recipient(1, "ada@example.com"), Recipient(2, "bob@example.com"), Recipient(3, None)]
    check_addresses(found)
    async with open_database(sqlite_url) as database:
        async with database.writing() as session:
            await (await session.connection()).run_sync(suppress, "bob@example.com", "unsubscribed")
        async with database.reading() as session:
            await check_suppressed(session, found)
    assert [(one.status, one.reason) for one in found] == [
        ("pending", None), ("suppressed", "unsubscribed"), ("skipped", "no such user"),
    ]  # fmt: skip
