"""Objects by path, on a local folder or in an S3 bucket. An object appears whole or not at all.

With a keyring each object is encrypted as it is written (sealed_object.py); what was written before stays readable. Sizes and
ranges are those of the plain bytes.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from obstore.exceptions import GenericError, PreconditionError

from service.lib.encryption import Keyring
from service.lib.storage.raw_storage import FREE_BYTES_MIN, PART_BYTES, NoSuchObject, RawStorage, StorageFull, moved
from service.lib.storage.sealed_file import SealedFile
from service.lib.storage.sealed_object import HEADER, MAGIC, PLAIN_HEADER, Opener, Sealer, Shape, sealed, shape_of
from service.lib.storage.sealing import escaped_stream, file_blocks, in_thread, seal_file, sealed_blocks, sealed_stream

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

__all__ = ["FREE_BYTES_MIN", "PART_BYTES", "NoSuchObject", "Storage", "StorageFull"]

CHUNK_BYTES = 1 << 17
"""Bytes that a stream yields at a time: large enough to cost few calls, small enough for many streams side by side."""

BLOCKING_BYTES = 4 << 20
"""Bytes that are encrypted or decrypted in a thread: a millisecond's work, which other requests should not wait for."""

TRIES = 5
"""Reads of an object's header and then of a range, until it has not been replaced in between."""


class Storage(RawStorage):
    """Objects under a `file:///folder` or `s3://bucket/prefix` URL. Paths are relative, with `/` between segments.

    S3 takes its credentials, region and endpoint from the usual AWS_* variables. A path that tries to leave the root
    raises ValueError. What cannot be decrypted raises Unreadable (KeyMissing, Damaged).
    """

    def __init__(self, url: str, keyring: Keyring | None = None) -> None:
        super().__init__(url)
        self.keyring = keyring

    async def put(self, path: str, data: bytes | Path | AsyncIterator[bytes]) -> None:
        """Store bytes, a file's content or a stream of bytes at `path`, replacing what was there.

        When the stream raises, nothing is stored, what was there stays, and the error comes through.
        """
        if isinstance(data, bytes):
            await self.put_stored(path, await self._sealed(path, data))
        elif isinstance(data, Path):
            await self._put_file(path, data)
        elif self.keyring is None:
            await self.put_stored(path, escaped_stream(data))
        else:
            await self.put_stored(path, sealed_stream(Sealer(self.keyring, path), data))

    async def _sealed(self, path: str, data: bytes) -> bytes:
        if self.keyring is None:
            return PLAIN_HEADER + data if data.startswith(MAGIC) else data
        if len(data) < BLOCKING_BYTES:
            return sealed(self.keyring, path, data)
        return await asyncio.to_thread(sealed, self.keyring, path, data)

    async def _put_file(self, path: str, source: Path) -> None:
        beginning = await asyncio.to_thread(_beginning, source)
        if self.keyring is None and not beginning.startswith(MAGIC):
            await self.put_stored(path, source)
            return
        size = source.stat().st_size
        if size <= PART_BYTES:
            await self.put(path, await asyncio.to_thread(source.read_bytes))
            return
        blocks = file_blocks(source)
        stored = (
            chain([PLAIN_HEADER], blocks) if self.keyring is None else sealed_blocks(Sealer(self.keyring, path), blocks)
        )
        await self.put_stored(path, in_thread(stored), size)

    async def move_in(self, path: str, source: Path) -> None:
        """Store a local file that is no longer needed: moved where that is possible, else copied and removed."""
        target = self.local_path(path)
        if self.keyring is not None and target is not None:
            # On the disk before the answer, as the file itself was: moving it does not do that again.
            aside = source.with_name(f"sealed-{source.name}")
            try:
                await asyncio.to_thread(seal_file, Sealer(self.keyring, path), file_blocks(source), aside)
                if not await asyncio.to_thread(moved, aside, target):
                    await self.put_stored(path, aside)
            finally:
                await asyncio.to_thread(aside.unlink, missing_ok=True)
        elif (
            target is None
            or await self._begins_like_a_header(source)
            or not await asyncio.to_thread(moved, source, target)
        ):
            await self.put(path, source)
        await asyncio.to_thread(source.unlink, missing_ok=True)

    async def _begins_like_a_header(self, source: Path) -> bool:
        return (await asyncio.to_thread(_beginning, source)).startswith(MAGIC)

    async def copy(self, source: str, target: str) -> None:
        """Copy an object within the storage. Raises NoSuchObject."""
        if self.keyring is None:
            await self.copy_stored(source, target)
        else:
            await self.put(target, await self.stream(source))

    async def get(self, path: str) -> bytes:
        """The whole object; for what is known to be small. Raises NoSuchObject, Unreadable."""
        stored = bytes(await (await self.fetch(path)).bytes_async())
        shape = shape_of(path, stored[: HEADER.size], len(stored))
        if not shape.header:
            return stored
        opener = shape.opener(self.keyring)
        if len(stored) < BLOCKING_BYTES:
            return _whole(opener, stored)
        return await asyncio.to_thread(_whole, opener, stored)

    async def stream(self, path: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` up to but not including `end` (default: to the end), in chunks. Raises NoSuchObject, Unreadable at once."""
        if start or end is not None:
            return await self._range(path, start, end)
        result = await self.fetch(path)
        chunks = _chunks(result)
        beginning = await anext(chunks, b"")
        shape = shape_of(path, beginning[: HEADER.size], result.meta["size"])
        return await _opened(shape.opener(self.keyring), chunks, beginning[len(shape.header) :])

    async def _range(self, path: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        tries = 0
        while True:
            shape, tag = await self.shape(path)
            opener = shape.opener(self.keyring, start, end)
            if opener.first_byte == opener.end_byte:
                return _nothing()
            options: GetOptions = {"range": (opener.first_byte, opener.end_byte)}
            if tag is not None:
                options["if_match"] = tag
            try:
                return await _opened(opener, _chunks(await self.fetch(path, options)))
            except PreconditionError:
                tries += 1
                if tries == TRIES:
                    raise

    async def open(self, path: str) -> BinaryIO:
        """The object as a file to seek and read in, a buffer at a time, from a thread. Raises NoSuchObject, Unreadable."""
        return await asyncio.to_thread(self._open, path)

    def _open(self, path: str) -> BinaryIO:
        file = self.open_stored(path)
        try:
            shape = shape_of(path, file.read(HEADER.size), file.seek(0, io.SEEK_END))
            file.seek(0)
            if not shape.header:
                return file
            shape.opener(self.keyring)
            return io.BufferedReader(SealedFile(file, shape, self.keyring))
        except BaseException:
            file.close()
            raise

    async def plain_path(self, path: str) -> Path | None:
        """Path of the object on this machine's disk, where it lies there as it is; else None. Raises NoSuchObject."""
        local = self.local_path(path)
        if local is None:
            return None

        def header() -> bytes:
            with closing(self.open_stored(path)) as file:
                return file.read(HEADER.size)

        return None if (await asyncio.to_thread(header)).startswith(MAGIC) else local

    async def shape(self, path: str) -> tuple[Shape, str | None]:
        """Shape of the object, and the tag of its stored bytes. Raises NoSuchObject, Damaged."""
        try:
            result = await self.fetch(path, {"range": (0, HEADER.size)})
        except GenericError as error:
            # Of an empty object there is no range.
            if "range" not in str(error).lower() or (meta := await self.metadata(path))["size"]:
                raise
            return Shape(path, 0), meta["e_tag"]
        return shape_of(path, bytes(await result.bytes_async()), result.meta["size"]), result.meta["e_tag"]

    async def size(self, path: str) -> int:
        """Bytes of the object. Raises NoSuchObject, Damaged."""
        return (await self.shape(path))[0].size


async def _opened(opener: Opener, chunks: AsyncIterator[bytes], beginning: bytes = b"") -> AsyncIterator[bytes]:
    """Plain bytes of fetched ones. Raises Damaged before anything is sent, where the first of them do not open."""
    first = opener.update(beginning or await anext(chunks, b""))

    async def rest() -> AsyncIterator[bytes]:
        if first:
            yield first
        async for chunk in chunks:
            if plain := opener.update(chunk):
                yield plain
        opener.finish()

    return rest()


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for chunk in none:
        yield chunk


async def _chunks(result: "GetResult") -> AsyncIterator[bytes]:
    async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(chunk)


def _whole(opener: Opener, stored: bytes) -> bytes:
    plain = opener.update(stored[HEADER.size :])
    opener.finish()
    return plain


def _beginning(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(len(MAGIC))
