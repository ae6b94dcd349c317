"""A storage with keys, on a folder and on an S3 server: what lies there shows nothing, and reads as if it were plain."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import boto3
import pytest
from openpyxl import Workbook, load_workbook

from service.lib.encryption import Damaged, KeyMissing, Keyring
from service.lib.storage.local_copy import copy_to
from service.lib.storage.object_storage import PART_BYTES, NoSuchObject, Storage
from service.lib.storage.sealed_object import HEADER, MAGIC, PLAIN_HEADER
from tests.lib.storage.test_object_storage import all_of
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]

KEYS = Keyring({"a": os.urandom(32)})
WORD = b"Xylophonkonzert-4711"


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (tmp_path / "storage").as_uri() if request.param == "file" else str(request.getfixturevalue("s3_url"))


@pytest.fixture
def storage(url: str) -> Storage:
    return Storage(url, KEYS)


@pytest.fixture
def plain(url: str) -> Storage:
    """The same storage, of a process without keys."""
    return Storage(url)


async def stored(storage: Storage, path: str) -> bytes:
    """Bytes as they lie there."""
    return bytes(await (await storage.fetch(path)).bytes_async())


async def in_pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_what_is_put_shows_nothing_and_comes_back(storage: Storage, tmp_path: Path) -> None:
    large = WORD * (PART_BYTES * 2 // len(WORD))
    for name, data in {"few": WORD, "none": b"", "large": large}.items():
        (tmp_path / name).write_bytes(data)
        await storage.put(f"bytes/{name}", data)
        await storage.put(f"file/{name}", tmp_path / name)
        await storage.put(f"stream/{name}", in_pieces(data))
        await storage.move_in(f"moved/{name}", tmp_path / name)
        for way in ("bytes", "file", "stream", "moved"):
            path = f"{way}/{name}"
            assert await storage.get(path) == await all_of(await storage.stream(path)) == data, path
            assert await storage.size(path) == len(data)
            assert WORD not in await stored(storage, path)
    assert not [*tmp_path.glob("*few"), *tmp_path.glob("*large")], "what was moved in is gone, with what was made of it"
    assert len(await storage.list()) == 12


async def test_a_stream_that_breaks_off_leaves_nothing_and_spoils_nothing(storage: Storage) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * (PART_BYTES + 1)
        raise ConnectionError("the sender is gone")

    await storage.put("kept", b"as it was")
    for path in ("new", "kept"):
        with pytest.raises(ConnectionError, match="the sender is gone"):
            await storage.put(path, broken())
    assert await storage.list() == ["kept"] and await storage.get("kept") == b"as it was"


async def test_ranges_are_those_of_the_plain_bytes(storage: Storage) -> None:
    data = os.urandom(3 << 20)
    await storage.put("x", data)
    for start, end in ((0, 10), (65_530, 65_545), (1 << 20, None), (len(data) - 5, len(data)), (7, 7), (0, 1 << 30)):
        assert await all_of(await storage.stream("x", start, end)) == data[start:end]


async def test_what_was_stored_before_there_were_keys_stays_readable(storage: Storage, plain: Storage) -> None:
    for name, data in {"old": b"0123456789", "empty": b""}.items():
        await plain.put(name, data)
        assert await storage.get(name) == await all_of(await storage.stream(name)) == data
        assert await storage.size(name) == len(data)
    assert await all_of(await storage.stream("old", 3, 7)) == b"3456"
    with await storage.open("old") as file:
        assert file.read() == b"0123456789"


async def test_a_clients_file_that_begins_like_an_encrypted_one_is_that_file(
    storage: Storage, plain: Storage, tmp_path: Path
) -> None:
    await storage.put("sealed", WORD)
    for number, data in enumerate((MAGIC, MAGIC + b"rest", PLAIN_HEADER + b"rest", await stored(storage, "sealed"))):
        (source := tmp_path / "source").write_bytes(data)
        await plain.put(f"{number}/bytes", data)
        await plain.put(f"{number}/file", source)
        await plain.put(f"{number}/stream", in_pieces(data, 5))
        await plain.move_in(f"{number}/moved", source)
        for way in ("bytes", "file", "stream", "moved"):
            for reader in (plain, storage):
                path = f"{number}/{way}"
                assert await reader.get(path) == await all_of(await reader.stream(path)) == data
                assert await reader.size(path) == len(data)
                assert await all_of(await reader.stream(path, 3, 12)) == data[3:12]
                assert (await copy_to(reader, path, tmp_path, f"copy-{number}")).read_bytes() == data


async def test_without_its_key_an_object_is_refused_by_name(storage: Storage, plain: Storage, url: str) -> None:
    await storage.put("x", WORD)
    for other in (plain, Storage(url, Keyring({"b": os.urandom(32)}))):
        for read in (other.get, other.stream, other.open):
            with pytest.raises(KeyMissing, match="The stored file x is encrypted with the key 'a'"):
                await read("x")
        assert await other.size("x") == len(WORD) and await other.exists("x")
    with pytest.raises(NoSuchObject):
        await storage.get("y")


async def test_tampering_is_found_before_a_byte_is_sent(storage: Storage) -> None:
    await storage.put("x", WORD * 10_000)
    whole = await stored(storage, "x")
    for changed in (whole[: HEADER.size] + b"x" + whole[HEADER.size + 1 :], whole[:-1], whole + b"x"):
        await storage.put_stored("x", changed)
        with pytest.raises(Damaged, match="The stored file x cannot be decrypted"):
            await storage.get("x")
    await storage.put_stored("x", whole[: HEADER.size] + b"x" + whole[HEADER.size + 1 :])
    for start, end in ((0, None), (5, 9)):
        with pytest.raises(Damaged):
            await storage.stream("x", start, end)
    await storage.put_stored("y", whole)
    with pytest.raises(Damaged, match="The stored file y"):
        await storage.get("y")


async def test_a_copy_within_the_storage_is_readable_in_its_place(storage: Storage) -> None:
    await storage.put("x", WORD)
    await storage.copy("x", "y")
    assert await storage.get("y") == WORD


async def test_programs_get_a_plain_copy(storage: Storage, tmp_path: Path) -> None:
    await storage.put("x", WORD)
    copy = await copy_to(storage, "x", tmp_path, "copy")
    assert copy == tmp_path / "copy" and copy.read_bytes() == WORD


async def test_an_open_file_can_be_sought_in(storage: Storage, tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(3_000):
        sheet.append([number, f"row {number}"])
    book.save(tmp_path / "book.xlsx")
    await storage.put("book.xlsx", tmp_path / "book.xlsx")
    with await storage.open("book.xlsx") as file:

        def last() -> object:
            return list(load_workbook(file, read_only=True).worksheets[0].iter_rows(min_row=3_000, values_only=True))

        assert await asyncio.to_thread(last) == [(2_999, "row 2999")]
        assert file.seek(-3, os.SEEK_END) == len((tmp_path / "book.xlsx").read_bytes()) - 3
        assert len(file.read()) == 3 and file.read() == b""


async def test_a_large_object_is_written_in_parts_and_read_in_bounded_memory(
    url: str, storage: Storage, tmp_path: Path
) -> None:
    source, size = tmp_path / "large", 96 << 20
    with source.open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        await storage.put("large", source)
        read = 0
        async for chunk in await storage.stream("large"):
            read += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == size
    assert storage.root is None or peak < 24 << 20, peak
    if storage.root is None:
        bucket = url.split("/")[2]
        head = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).head_object(
            Bucket=bucket, Key="some/prefix/large"
        )
        assert head["ETag"].strip('"').endswith("-13"), "13 parts of 8 MiB"
