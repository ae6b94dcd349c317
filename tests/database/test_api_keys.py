"""The table of API keys."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.database import Database
from service.database.api_keys import ApiKeys, BadKeyRequest, NoSuchKey
from service.database.column_types import utc_now

pytestmark = pytest.mark.both_databases


async def test_only_a_digest_is_kept(database: Database) -> None:
    keys = ApiKeys(database)
    _, secret = await keys.create("acme", "web app", created_by="cli:eva")
    async with database.reading() as session:
        rows = (await session.execute(text("SELECT * FROM api_keys"))).all()
    assert len(rows) == 1 and secret not in str(rows) and secret[:12] in str(rows)
    found = await keys.find(secret)
    assert found is not None and (found.owner, found.name, found.created_by) == ("acme", "web app", "cli:eva")
    assert await keys.find(secret + "x") is None
    await keys.close()
    assert (await keys.get(found.key_id)).last_used_at is not None


async def test_a_rotated_key_stays_valid_for_the_overlap(database: Database) -> None:
    keys = ApiKeys(database)
    old, secret = await keys.create("acme", "web app", created_by="x", scopes=["read"], job_types=["pdf-ocr"])
    new, successor = await keys.rotate(old.key_id, created_by="x", overlap=timedelta(hours=1))
    assert (new.owner, new.name, new.scope_set, new.type_set) == ("acme", "web app", {"read"}, {"pdf-ocr"})
    assert await keys.find(secret) and await keys.find(successor)
    assert (await keys.get(old.key_id)).expires_at <= utc_now() + timedelta(hours=1)
    again, _ = await keys.rotate(new.key_id, created_by="x", overlap=timedelta(0))
    assert await ApiKeys(database).find(successor) is None
    with pytest.raises(NoSuchKey, match="is expired: create a new one"):
        await keys.rotate(new.key_id, created_by="x", overlap=timedelta(0))
    assert [key.key_id for key in await keys.list("acme")][:1] == [again.key_id]
    await keys.close()


async def test_a_key_is_revoked_once(database: Database) -> None:
    keys = ApiKeys(database)
    key, secret = await keys.create("acme", "web app", created_by="x")
    assert await keys.find(secret)
    await keys.revoke(key.key_id)
    assert await keys.find(secret) is None
    with pytest.raises(NoSuchKey, match="was revoked already"):
        await keys.revoke(key.key_id)
    with pytest.raises(NoSuchKey, match="There is no API key nope"):
        await keys.revoke("nope")
    await keys.close()


@pytest.mark.parametrize(
    ("requested", "sentence"),
    [
        ({"owner": " "}, "The owner of a key is 1 to 255 printable characters."),
        ({"name": "a\0b"}, "The name of a key is 1 to 255 printable characters."),
        ({"scopes": []}, "A key needs a scope: submit, read, operate, personal."),
        ({"scopes": ["fly"]}, "fly is not a scope: there are submit, read, operate, personal."),
        ({"expires_at": utc_now() - timedelta(days=1)}, "A key cannot expire in the past."),
    ],
)
async def test_keys_that_cannot_be(database: Database, requested: dict, sentence: str) -> None:
    with pytest.raises(BadKeyRequest) as refused:
        await ApiKeys(database).create(**{"owner": "acme", "name": "x", "created_by": "x", **requested})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("owner", "sentence"),
    [
        ("Acme", "The owner Acme would be taken for acme, who has keys: write the name like that."),
        ("\uff41cme", "The owner \uff41cme would be taken for acme, who has keys: write the name like that."),
        ("a\u0441me", "The owner a\u0441me is written in letters of several alphabets: Cyrillic and Latin."),
    ],
)
async def test_no_new_owner_is_taken_for_another(database: Database, owner: str, sentence: str) -> None:
    keys = ApiKeys(database)
    await keys.create("acme", "web app", created_by="x")
    with pytest.raises(BadKeyRequest) as refused:
        await keys.create(owner, "web app", created_by="x")
    assert str(refused.value) == sentence
    assert {(await keys.create(name, "a", created_by="x"))[0].owner for name in ("caf\u00e9", "cafe\u0301")} == {
        "caf\u00e9"
    }
    assert (await keys.create("\u0430\u0441\u043c\u0435", "a", created_by="x"))[0].owner, "an alphabet of its own"
