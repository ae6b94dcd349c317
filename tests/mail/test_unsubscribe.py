"""An unsubscribe link works for its own user, forever, and for no other."""

import pytest

from service.database import open_database
from service.mail.suppression import suppressed
from service.mail.unsubscribe import BadLink, Links, Unsubscriptions
from tests.mail.conftest import add_users, user

LINKS = Links("https://offload.example", b"k" * 32)


def test_a_link_leads_back_to_its_user() -> None:
    url = LINKS.url(42)
    assert url.startswith("https://offload.example/unsubscribe/42.")
    assert LINKS.user_id(url.rpartition("/")[2]) == 42


@pytest.mark.parametrize(
    "token", ["", "42", "42.", ".", "43." + LINKS.token(42).partition(".")[2], LINKS.token(42) + "x"]
)
def test_a_link_that_was_changed_is_refused(token: str) -> None:
    with pytest.raises(BadLink, match="This unsubscribe link is not valid"):
        LINKS.user_id(token)


def test_a_link_of_another_key_is_refused() -> None:
    with pytest.raises(BadLink):
        Links("https://offload.example", b"l" * 32).user_id(LINKS.token(42))


async def test_unsubscribing_twice_is_unsubscribing_once(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as database:
        await add_users(database, user(1, email="Ada@Example.com"), user(2, email="not an address"))
        service = Unsubscriptions(database, LINKS)
        for _ in range(2):
            assert await service.unsubscribe(LINKS.token(1)) == "Ada@Example.com"
        # Where there is no address or no user, there is nothing to suppress.
        assert await service.unsubscribe(LINKS.token(2)) == "not an address"
        assert await service.unsubscribe(LINKS.token(3)) == ""
        async with database.reading() as session:
            assert set((await suppressed(session, ["ada@example.com", "not an address", ""])).values()) == {
                "unsubscribed"
            }
            assert len(await suppressed(session, ["Ada@example.com", "ada@example.com", "not an address", ""])) == 1
