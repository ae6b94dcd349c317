"""Dashboard users as rows, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.access.sessions import Sessions
from service.access.users import BadUser, NoSuchUser, Users
from service.database import Database
from settings.credentials import Role

pytestmark = pytest.mark.both_databases

PASSWORD = "correct horse battery"


async def added(users: Users, name: str = "eva", **more: object) -> None:
    rights = {"created_by": "a test", "personal": False, **more}
    await users.add(name, PASSWORD, Role.VIEWER, **rights)  # type: ignore[arg-type]  # rights by name


async def test_a_user_is_verified_changed_and_removed(database: Database) -> None:
    users = Users(database)
    assert not await users.any()
    await added(users, queues=["thumbnails"])
    row = await users.verify("eva", PASSWORD)
    assert row is not None and (row.role, row.personal, row.queue_names) == ("viewer", False, ("thumbnails",))
    assert await users.verify("eva", PASSWORD + "!") is None and await users.verify("ada", PASSWORD) is None
    await users.change("eva", role=Role.OPERATOR, personal=True, queues=[], password="another long phrase")
    changed = await users.verify("eva", "another long phrase")
    assert changed is not None and (changed.role, changed.personal, changed.queue_names) == ("operator", True, ())
    assert await users.verify("eva", PASSWORD) is None
    await users.remove("eva")
    assert await users.verify("eva", "another long phrase") is None and list(await users.list()) == []
    with pytest.raises(NoSuchUser, match="There is no user eva in the database"):
        await users.remove("eva")


async def test_only_an_argon2_hash_is_kept(database: Database) -> None:
    users = Users(database)
    await added(users)
    async with database.reading() as session:
        kept = str((await session.execute(text("SELECT * FROM dashboard_users"))).all())
    assert PASSWORD not in kept and "$argon2id$" in kept


async def test_bad_users_are_refused_in_a_sentence(database: Database) -> None:
    users = Users(database, reserved=["admin"])
    await added(users)
    for name, sentence in (
        ("eva", "There is a user eva already"),
        ("admin", "is a user of OFFLOAD_DASHBOARD_USERS already"),
        ("a:b", "letters, digits, blanks"),
        ("a/b", "letters, digits, blanks"),
        ("", "letters, digits, blanks"),
    ):
        with pytest.raises(BadUser, match=sentence):
            await added(users, name)
    with pytest.raises(BadUser, match="12 to 1024 characters"):
        await users.add("ada", "too short", Role.VIEWER, created_by="a test", personal=False)
    with pytest.raises(BadUser, match="There is no queue nowhere: there are pdf-processing"):
        await added(users, "ada", queues=["nowhere"])
    with pytest.raises(NoSuchUser, match="change it there"):
        await users.change("admin", role=Role.VIEWER)


async def test_a_removed_user_has_no_session_any_more(database: Database) -> None:
    users, sessions = Users(database), Sessions(database, timedelta(hours=1))
    await added(users)
    token = await sessions.begin("eva", source="password", credential="c", role="viewer")
    await users.remove("eva")
    assert await Sessions(database, sessions.idle).find(token, uses=False) is None
