"""Replacement of keys over all objects, on a folder and on an S3 server, while work goes on."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from service.lib.encryption import Keyring
from service.lib.storage.object_storage import Storage
from service.lib.storage.rewrapping import ASIDE, ASIDE_OLD_S, rewrap_objects
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]

OLD, NEW = {"old": os.urandom(32)}, {"new": os.urandom(32)}
LARGE = os.urandom(200_000)


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (tmp_path / "storage").as_uri() if request.param == "file" else str(request.getfixturevalue("s3_url"))


async def test_all_is_under_the_new_key_afterwards(url: str) -> None:
    await Storage(url).put("plain/x", LARGE)
    await Storage(url).put("plain/empty", b"")
    await Storage(url, Keyring(OLD)).put("old/x", LARGE)
    both, new = Storage(url, Keyring(NEW | OLD)), Storage(url, Keyring(NEW))
    await both.put("new/x", LARGE)
    done = await rewrap_objects(both)
    assert (done.rewrapped, done.encrypted, done.current, done.unreadable) == (1, 2, 1, [])
    assert {path: await new.get(path) for path in await new.list()} == {
        "plain/x": LARGE, "plain/empty": b"", "old/x": LARGE, "new/x": LARGE,
    }  # fmt: skip
    again = await rewrap_objects(both)
    assert (again.rewrapped, again.encrypted, again.current) == (0, 0, 4), "what is done is not done again"


async def test_what_cannot_be_read_is_named_and_left(url: str) -> None:
    await Storage(url, Keyring({"lost": os.urandom(32)})).put("a", LARGE)
    old, both = Storage(url, Keyring(OLD)), Storage(url, Keyring(NEW | OLD))
    await old.put("b", LARGE)
    stored = bytes(await (await old.fetch("b")).bytes_async())
    await old.put_stored("b", stored[:-1] + bytes((stored[-1] ^ 1,)))
    await old.put("c", LARGE)
    before = {path: bytes(await (await old.fetch(path)).bytes_async()) for path in ("a", "b")}
    done = await rewrap_objects(both)
    assert done.rewrapped == 1 and len(done.unreadable) == 2
    assert "The stored file a is encrypted with the key 'lost'" in " ".join(done.unreadable)
    assert "The stored file b cannot be decrypted" in " ".join(done.unreadable)
    assert {path: bytes(await (await old.fetch(path)).bytes_async()) for path in ("a", "b")} == before
    assert await both.list() == ["a", "b", "c"]


class Interrupted(Storage):
    """A storage in which something happens to an object once it has been read whole."""

    interruption: Callable[[], Awaitable[None]]

    async def stream(self, path: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        chunks = await super().stream(path, start, end)

        async def read() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                yield chunk
            await self.interruption()

        return read()


async def test_an_object_that_is_replaced_or_removed_in_the_meantime_stays_so(url: str) -> None:
    await Storage(url, Keyring(OLD)).put("x", LARGE)
    storage, other = Interrupted(url, Keyring(NEW | OLD)), Storage(url, Keyring(NEW | OLD))

    async def replace() -> None:
        await other.put("x", b"newer")

    storage.interruption = replace
    assert (await rewrap_objects(storage)).rewrapped == 0
    assert await other.get("x") == b"newer"

    await Storage(url, Keyring(OLD)).put("x", LARGE)

    async def remove() -> None:
        await other.delete("x")

    storage.interruption = remove
    assert (await rewrap_objects(storage)).rewrapped == 0
    assert await other.list() == [], "what was removed does not come back"


async def test_a_killed_round_leaves_nothing_for_long(tmp_path: Path) -> None:
    url = (tmp_path / "storage").as_uri()
    storage = Storage(url, Keyring(NEW))
    await storage.put("x", b"x")
    left = [tmp_path / "storage" / ASIDE / f"{name}#0" for name in ("old", "young")]
    left[0].parent.mkdir()
    for path in left:
        path.write_bytes(b"half")
    then = time.time() - ASIDE_OLD_S - 1
    os.utime(left[0], (then, then))
    assert await storage.list() == ["x"], "they are not objects"
    await rewrap_objects(storage)
    assert [path.exists() for path in left] == [False, True], "another round may be at work"


async def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    storage = Storage((tmp_path / "storage").as_uri(), Keyring(NEW))
    await Storage((tmp_path / "storage").as_uri()).put("x", LARGE)
    local = tmp_path / "storage" / "x"
    local.chmod(0o640)
    await rewrap_objects(storage)
    assert local.stat().st_mode & 0o777 == 0o640 and await storage.get("x") == LARGE
