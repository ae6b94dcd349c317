"""Replacement of keys: every stored object that the first key does not encrypt is written again, under it.

Which key an object is under stands in it, so that an interrupted round goes on where it was. An object that is replaced or removed
while it is written again stays as the others left it.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from service.lib.encryption import Unreadable
from service.lib.storage.object_storage import NoSuchObject, Storage
from service.lib.storage.sealed_object import Sealer
from service.lib.storage.sealing import sealed_stream

AT_ONCE = 8
"""Objects that are looked into at a time: each costs an S3 server's answer."""

ASIDE = ".rewrapping"
"""Folder of a local storage in which objects are written before they replace the old ones. Names that end so are not listed."""

ASIDE_OLD_S = 3600
"""Age from which such a file is one that a round left which was killed."""


class _Replaced(Exception):
    """The object is another one by now, or gone."""


@dataclass
class Rewrapped:
    """Objects of one round. `encrypted` were stored plain before; `unreadable` has a sentence for each."""

    current: int = 0
    rewrapped: int = 0
    encrypted: int = 0
    unreadable: list[str] = field(default_factory=list)


async def rewrap_objects(storage: Storage, progress: Callable[[int], object] = lambda done: None) -> Rewrapped:
    """Have all objects encrypted under the first key. `progress` gets the number of those that are done."""
    await asyncio.to_thread(_remove_left, storage)
    result, done = Rewrapped(), 0
    batch: list[str] = []

    async def work() -> None:
        nonlocal done
        await asyncio.gather(*(_counted(storage, path, result) for path in batch))
        done += len(batch)
        batch.clear()
        progress(done)

    async for path in storage.paths():
        batch.append(path)
        if len(batch) == AT_ONCE:
            await work()
    await work()
    return result


async def _counted(storage: Storage, path: str, result: Rewrapped) -> None:
    try:
        before = await _rewrap(storage, path)
    except Unreadable as error:
        result.unreadable.append(str(error))
    except (NoSuchObject, _Replaced, FileNotFoundError):
        # It was replaced under the first key, or is gone.
        return
    else:
        if before == "current":
            result.current += 1
        elif before == "plain":
            result.encrypted += 1
        else:
            result.rewrapped += 1


async def _rewrap(storage: Storage, path: str) -> str:
    """Write one object again, where it must be. Returns how it was before. Raises Unreadable, NoSuchObject."""
    keyring = storage.keyring
    if keyring is None:
        raise ValueError("a storage without keys encrypts nothing")
    shape, tag = await storage.shape(path)
    if shape.key_id == keyring.sealing_id:
        return "current"
    stored = sealed_stream(Sealer(keyring, path), await storage.stream(path))
    local = storage.local_path(path)
    if local is None or storage.root is None:
        await storage.put_stored(path, _unless_replaced(storage, path, tag, stored))
    else:
        await _write_local(storage, path, tag, stored, local)
    return "plain" if shape.key_id is None else "sealed"


async def _unless_replaced(
    storage: Storage, path: str, tag: str | None, stored: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """The bytes; at their end it breaks off, so that nothing is stored, where the object is another one."""
    async for block in stored:
        yield block
    await _see_unchanged(storage, path, tag)


async def _see_unchanged(storage: Storage, path: str, tag: str | None) -> None:
    if (await storage.metadata(path))["e_tag"] != tag:
        raise _Replaced


async def _write_local(storage: Storage, path: str, tag: str | None, stored: AsyncIterator[bytes], local: Path) -> None:
    """Write a file next to the others, on the disk before it replaces what may be the only copy."""
    aside = _aside(storage) / f"{secrets.token_hex(8)}#0"
    await asyncio.to_thread(aside.parent.mkdir, exist_ok=True)
    try:
        with await asyncio.to_thread(aside.open, "xb") as file:
            _as_before(file.fileno(), local)
            async for block in stored:
                await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(file.flush)
            await asyncio.to_thread(os.fsync, file.fileno())
        await _see_unchanged(storage, path, tag)
        os.replace(aside, local)
    finally:
        aside.unlink(missing_ok=True)


def _as_before(descriptor: int, local: Path) -> None:
    """Give a file the mode and, as root, the owner of the one it replaces: the service must be able to read it."""
    before = local.stat()
    os.fchmod(descriptor, before.st_mode & 0o777)
    if os.geteuid() == 0:
        os.fchown(descriptor, before.st_uid, before.st_gid)


def _aside(storage: Storage) -> Path:
    assert storage.root is not None
    return storage.root / ASIDE


def _remove_left(storage: Storage) -> None:
    if storage.root is None or not _aside(storage).is_dir():
        return
    for path in _aside(storage).iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ASIDE_OLD_S:
                path.unlink()
