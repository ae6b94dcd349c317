"""`offload rewrap`: its words and exit codes."""

import asyncio
import os
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from service.cli.main import main
from service.lib.encryption import Keyring
from service.lib.storage.object_storage import Storage
from settings import load_settings
from settings.encryption import encoded

OLD, NEW = os.urandom(32), os.urandom(32)


def rewrapped(monkeypatch: pytest.MonkeyPatch, folder: Path, keys: str) -> Result:
    monkeypatch.setenv("OFFLOAD_STORAGE_URL", folder.as_uri())
    monkeypatch.setenv("OFFLOAD_ENCRYPTION_KEYS", keys)
    load_settings.cache_clear()
    return CliRunner().invoke(main, ["rewrap"])


def test_it_says_what_it_did(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings_env: dict[str, str], redis_url: str
) -> None:
    tmp_path = tmp_path / "stored"
    with redis.Redis.from_url(redis_url) as server:
        server.hset("offload:job:a", mapping={"state": "queued", "type": "gone", "message": "plain"})
        server.sadd("offload:encryption-keys", "old", "new")
    asyncio.run(Storage(tmp_path.as_uri()).put("a", b"plain"))
    asyncio.run(Storage(tmp_path.as_uri(), Keyring({"old": OLD})).put("b", b"old"))
    refused = rewrapped(monkeypatch, tmp_path, "")
    assert refused.exit_code == 1 and "OFFLOAD_ENCRYPTION_KEYS is not set" in refused.output
    lost = rewrapped(monkeypatch, tmp_path, f"new:{encoded(NEW)}")
    assert lost.exit_code == 1 and "The stored file b is encrypted with the key 'old'" in lost.stderr
    assert "1 files cannot be read, and stay as they are." in lost.stderr
    done = rewrapped(monkeypatch, tmp_path, f"new:{encoded(NEW)},old:{encoded(OLD)}")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(
        "Encrypted with the key 'new': 1 files that were under another key, 0 that were not encrypted. 1 were under it"
    )
    assert done.stdout.splitlines()[1].endswith(
        ": 0 values of records that were under another key, 0 that were not encrypted. 1 were under it already."
    ), "the run before has encrypted it"
    with redis.Redis.from_url(redis_url) as server:
        assert server.smembers("offload:encryption-keys") == {b"new"}
        assert b"plain" not in (server.hget("offload:job:a", "message") or b"plain")
    assert asyncio.run(Storage(tmp_path.as_uri(), Keyring({"new": NEW})).get("b")) == b"old"


def test_an_outage_is_one_sentence(monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]) -> None:
    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "x"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr("service.lib.storage.raw_storage.S3_RETRIES", {"max_retries": 0})
    monkeypatch.setenv("OFFLOAD_STORAGE_URL", "s3://bucket/x")
    monkeypatch.setenv("OFFLOAD_ENCRYPTION_KEYS", f"a:{encoded(OLD)}")
    load_settings.cache_clear()
    away = CliRunner().invoke(main, ["rewrap"])
    assert (
        away.exit_code == 1
        and "The file storage is out of reach" in away.output
        and "goes on where it was" in away.output
    )
