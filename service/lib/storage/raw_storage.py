"""`RawStorage`: objects by path, on a local folder or in an S3 bucket, as they are stored."""

import asyncio
import contextlib
import errno
import io
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, S3Store

from service.lib.storage.remote_file import RemoteFile
from tasks.sdk.errors import Unreachable

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import RetryConfig, S3Config

PART_BYTES = 8 << 20
"""A part of an S3 multipart upload. S3 takes 10,000 parts of at least 5 MiB: this allows objects of 78 GiB."""

PARTS_AT_ONCE = 2
"""Parts in flight, so that one upload holds some 16 MiB and not obstore's default of twelve parts."""


S3_LIMITS = {"connect_timeout": "5s", "timeout": "20s"}
"""Bounds of one request: a part of 8 MiB takes as long at 3.4 Mbit/s. A server that hangs is an absence, and no reason to
keep a client or a job waiting. AWS_CONNECT_TIMEOUT and AWS_TIMEOUT set others."""

S3_RETRIES: "RetryConfig" = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}
"""Enough for a hiccup. What lasts longer is waited out by the job, and said to a client."""

FREE_BYTES_MIN = 64 << 20
"""Free space below which a disk counts as full: less than one upload of ordinary size, and room to notice it in time."""

CHECK_PREFIX = "health-check-"
"""Objects that checks write and remove. Not in a folder of their own, which the removal of one would take from another."""


PUT_S = 20
SLOWEST_BYTES_S = 1 << 20
"""An object must be stored within PUT_S and a second more for each of so many bytes."""


class StorageFull(OSError):
    """The disk under a local storage has next to no space left."""


class NoSuchObject(Exception):
    """There is no object at that path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing is stored at {path}")


class RawStorage:
    """Stored bytes under a `file:///folder` or `s3://bucket/prefix` URL. Paths are relative, with `/` between segments.

    S3 takes its credentials, region and endpoint from the usual AWS_* variables. A path that tries to leave the root
    raises ValueError.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.root: Path | None = None
        self._store: LocalStore | S3Store
        if parts.scheme == "file":
            self.root = Path(unquote(parts.path))
            # Folders emptied by a delete go too, so that one folder a file does not grow without end.
            self._store = LocalStore(self.root, automatic_cleanup=True, mkdir=True)
        elif parts.scheme == "s3":
            own = {name: limit for name, limit in S3_LIMITS.items() if f"AWS_{name.upper()}" not in os.environ}
            self._store = S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                # Not as client options, which would put those of the AWS_* variables out of force.
                config=cast("S3Config", own),
                retry_config=S3_RETRIES,
            )
        else:
            raise ValueError(f"storage is file:// or s3://, not {parts.scheme}://")

    async def put_stored(self, path: str, data: bytes | Path | AsyncIterator[bytes], size: int | None = None) -> None:
        """Store bytes, a file's content or a stream at `path`, replacing what was there; of a stream `size` may be known.

        When the stream raises, nothing is stored, what was there stays, and the error comes through.
        """
        putting = obstore.put_async(self._store, path, data, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        if isinstance(data, bytes | Path):
            size = len(data) if isinstance(data, bytes) else data.stat().st_size
        if self.root is not None or size is None:
            await putting
            return
        try:
            async with asyncio.timeout(PUT_S + size / SLOWEST_BYTES_S):
                await putting
        except TimeoutError:
            raise Unreachable("storage", "no answer in time") from None

    async def fetch(self, path: str, options: "GetOptions | None" = None) -> "GetResult":
        """The object as it is stored, or what `options` take of it. Raises NoSuchObject."""
        try:
            return await obstore.get_async(self._store, path, options=options)
        except FileNotFoundError:
            raise NoSuchObject(path) from None

    async def metadata(self, path: str) -> "ObjectMeta":
        """Stored size and tag of the object. Raises NoSuchObject."""
        try:
            return await obstore.head_async(self._store, path)
        except FileNotFoundError:
            raise NoSuchObject(path) from None

    async def copy_stored(self, source: str, target: str) -> None:
        """Copy an object within the storage, as it is stored. Raises NoSuchObject."""
        try:
            await obstore.copy_async(self._store, source, target)
        except FileNotFoundError:
            raise NoSuchObject(source) from None

    def open_stored(self, path: str) -> BinaryIO:
        """The object as it is stored, as a file to seek and read in; from a thread. Raises NoSuchObject."""
        local = self.local_path(path)
        try:
            if local is not None:
                return local.open("rb")
            return io.BufferedReader(RemoteFile(obstore.open_reader(self._store, path)))
        except (FileNotFoundError, IsADirectoryError):
            raise NoSuchObject(path) from None

    async def presigned_put(self, path: str, valid_s: int) -> str | None:
        """URL that stores one object at `path` by a PUT, without further credentials; None where storage is a local folder."""
        if isinstance(self._store, LocalStore):
            return None
        return await obstore.sign_async(self._store, "PUT", path, timedelta(seconds=valid_s))

    async def exists(self, path: str) -> bool:
        try:
            await self.metadata(path)
        except NoSuchObject:
            return False
        return True

    async def paths(self, prefix: str = "") -> AsyncIterator[str]:
        """Paths of every object below the folder `prefix`, a page of them at a time."""
        async for batch in obstore.list(self._store, prefix.rstrip("/") or None, chunk_size=1000):
            for entry in batch:
                yield entry["path"]

    async def list(self, prefix: str = "") -> Sequence[str]:
        """Sorted paths of every object below the folder `prefix`."""
        return sorted([path async for path in self.paths(prefix)])

    async def list_older(self, prefix: str, older_than_s: float) -> Sequence[str]:
        """Sorted paths of the objects below the folder `prefix` that were stored longer ago than that."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_s)
        found = obstore.list(self._store, prefix.rstrip("/"), chunk_size=1000)
        return sorted([entry["path"] async for batch in found for entry in batch if entry["last_modified"] < before])

    async def delete(self, path: str) -> None:
        """Remove the object; none there is none removed."""
        await self._delete([path])

    async def delete_prefix(self, prefix: str) -> int:
        """Remove every object below the folder `prefix` and return how many there were."""
        if not prefix.strip("/"):
            raise ValueError("deleting everything needs a prefix that is not empty")
        paths = await self.list(prefix)
        await self._delete(paths)
        return len(paths)

    async def _delete(self, paths: Sequence[str]) -> None:
        for path in paths if self.root else [paths]:
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, path)

    def local_path(self, path: str) -> Path | None:
        """Path of the object on this machine's disk (whether it exists or not), or None where storage is remote."""
        if self.root is None:
            return None
        if any(segment in ("", ".", "..") for segment in path.split("/")):
            raise ValueError(f"not a path inside the storage: {path!r}")
        return self.root / path

    async def check(self) -> None:
        """Write an object and remove it. Raises what keeps the storage from being used: OSError for a folder (StorageFull
        where less than FREE_BYTES_MIN are free), obstore's BaseError or FileNotFoundError for S3."""
        if self.root is not None:
            if not await asyncio.to_thread(os.access, self.root, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(f"{self.root} cannot be written")
            if (free := (await asyncio.to_thread(shutil.disk_usage, self.root)).free) < FREE_BYTES_MIN:
                raise StorageFull(errno.ENOSPC, f"{free >> 20} MiB are free")
        path = f"{CHECK_PREFIX}{secrets.token_hex(8)}"
        await self.put_stored(path, b"")
        await self.delete(path)


def moved(source: Path, target: Path) -> bool:
    """Rename `source` to `target`; False where they are on different file systems."""
    while True:
        # A concurrent delete may remove the folder, empty as it is, at any moment of making it and moving into it.
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
        except FileNotFoundError:
            if not source.exists():
                raise
        except FileExistsError:
            # mkdir found the folder, then looked whether it is one, and it was gone.
            if target.parent.exists() and not target.parent.is_dir():
                raise
        except OSError:
            return False
        else:
            return True
