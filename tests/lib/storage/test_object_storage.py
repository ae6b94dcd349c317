"""The same behaviour on a folder and on an S3 server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.exceptions import BaseError

from service.lib.storage.local_copy import copy_to
from service.lib.storage.object_storage import PART_BYTES, NoSuchObject, Storage
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]


@pytest.fixture(params=["file", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "file":
        return Storage((tmp_path / "a folder").as_uri())
    return Storage(request.getfixturevalue("s3_url"))


async def all_of(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def test_bytes_a_file_and_a_stream_come_back_as_they_went_in(storage: Storage, tmp_path: Path) -> None:
    large = bytes(range(256)) * (PART_BYTES // 128)
    source = tmp_path / "source"
    source.write_bytes(large)

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    await storage.put("a/bytes", b"few")
    await storage.put("a/file", source)
    await storage.put("a/stream", stream())
    assert await storage.get("a/bytes") == b"few"
    assert await storage.get("a/file") == await all_of(await storage.stream("a/stream")) == large
    assert await storage.size("a/stream") == len(large)
    assert await storage.list("a") == ["a/bytes", "a/file", "a/stream"]


async def test_a_range_is_read_without_the_rest(storage: Storage) -> None:
    await storage.put("digits", b"0123456789")
    assert await all_of(await storage.stream("digits", 3, 7)) == b"3456"
    assert await all_of(await storage.stream("digits", 8)) == b"89"


async def test_a_stream_that_breaks_off_leaves_nothing_and_spoils_nothing(storage: Storage) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * (PART_BYTES + 1)
        raise ConnectionError("the sender is gone")

    await storage.put("kept", b"as it was")
    for path in ("new", "kept"):
        with pytest.raises(ConnectionError, match="the sender is gone"):
            await storage.put(path, broken())
    assert await storage.list() == ["kept"]
    assert await storage.get("kept") == b"as it was"


async def test_what_is_not_there_is_named(storage: Storage) -> None:
    for call in (storage.get("no/such"), storage.stream("no/such"), storage.size("no/such")):
        with pytest.raises(NoSuchObject, match="no/such"):
            await call
    assert not await storage.exists("no/such")
    await storage.delete("no/such")


async def test_deleting_a_folder_stays_within_it(storage: Storage) -> None:
    for path in ("job/1/a", "job/1/b/c", "job/12/a"):
        await storage.put(path, b"x")
    assert await storage.delete_prefix("job/1") == 2
    assert await storage.list() == ["job/12/a"]
    with pytest.raises(ValueError, match="not empty"):
        await storage.delete_prefix("/")


async def test_an_adopted_file_is_moved_into_the_storage(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "scratch"
    source.write_bytes(b"content")
    await storage.move_in("x/content", source)
    assert await storage.get("x/content") == b"content"
    assert not source.exists()


async def test_a_local_copy_is_the_object_itself_only_where_storage_is_local(storage: Storage, tmp_path: Path) -> None:
    await storage.put("x/content", b"content")
    local = await copy_to(storage, "x/content", tmp_path, "copy")
    assert local.read_bytes() == b"content"
    assert local == (storage.local_path("x/content") or tmp_path / "copy")
    with pytest.raises(NoSuchObject):
        await copy_to(storage, "x/gone", tmp_path, "gone")
    assert not list(tmp_path.glob("gone*"))


async def test_a_local_copy_is_fetched_once(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await storage.put("x/content", b"content")
    first = await copy_to(storage, "x/content", tmp_path, "copy")
    monkeypatch.setattr(storage, "stream", None)
    assert await copy_to(storage, "x/content", tmp_path, "copy") == first
    assert first.read_bytes() == b"content"


async def test_folders_that_empty_while_others_fill_lose_nothing(storage: Storage, tmp_path: Path) -> None:
    async def come_and_go(number: int) -> None:
        source = tmp_path / f"source-{number}"
        source.write_bytes(b"x")
        await storage.move_in(f"shared/{number}", source)
        await storage.delete(f"shared/{number}")

    await asyncio.gather(*(come_and_go(number) for number in range(30)))
    assert await storage.list() == []


@pytest.mark.parametrize("path", ["../outside", "a/../../outside", "/outside", "a//b"])
def test_no_local_path_leads_outside(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        Storage(tmp_path.as_uri()).local_path(path)


async def test_check_says_what_is_wrong(storage: Storage) -> None:
    await storage.check()
    assert await storage.list() == []
    if storage.root is None:
        with pytest.raises((BaseError, FileNotFoundError), match="NoSuchBucket"):
            await Storage("s3://no-such-bucket-here/x").check()
    else:
        storage.root.rmdir()
        with pytest.raises(OSError, match="cannot be written"):
            await storage.check()
