"""A backup of a running installation, its restoration elsewhere, and what is refused."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from service.supervisor.backup import BackupError, back_up, restore
from service.supervisor.valkey import EmbeddedValkey
from settings import Settings


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


def test_what_was_there_is_kept_aside(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "copy")
    (settings.data_dir / "files" / "some" / "file").write_text("newer")
    said = restore(settings, tmp_path / "copy")
    assert (settings.data_dir / "files" / "some" / "file").read_text() == "content"
    (aside,) = settings.data_dir.glob("replaced-*")
    assert (aside / "files" / "some" / "file").read_text() == "newer"
    assert said[-1] == f"What was there before is kept in {aside}."


def test_refusals(settings: Settings, server: EmbeddedValkey, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "copy")
    with pytest.raises(BackupError, match="is not empty"):
        back_up(settings, tmp_path / "copy")
    with pytest.raises(BackupError, match=f"Offload runs over {settings.data_dir}: stop it first"):
        restore(settings, tmp_path / "copy")
    (tmp_path / "copy" / "backup.json").unlink()
    with pytest.raises(BackupError, match="is not a whole backup"):
        restore(settings, tmp_path / "copy")
