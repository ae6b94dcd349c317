"""Streams of bytes on their way into the storage, encrypted block by block."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from service.lib.storage.sealed_object import BLOCK_BYTES, MAGIC, PLAIN_HEADER, Sealer


def file_blocks(source: Path) -> Iterator[bytes]:
    """A file's content."""
    with source.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def sealed_blocks(sealer: Sealer, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The stored bytes of a whole object."""
    for block in blocks:
        if stored := sealer.update(block):
            yield stored
    yield sealer.finish()


async def sealed_stream(sealer: Sealer, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same of bytes that arrive."""
    async for block in stream:
        if stored := sealer.update(block):
            yield stored
    yield sealer.finish()


async def escaped_stream(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Bytes that are stored plain, with the header that says so where they begin like one."""
    beginning: bytes | None = b""
    async for block in stream:
        if beginning is None:
            yield block
        elif len(beginning := beginning + block) >= len(MAGIC):
            yield PLAIN_HEADER + beginning if beginning.startswith(MAGIC) else beginning
            beginning = None
    if beginning:
        yield beginning


async def in_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Blocks that are made in a thread, one after the other."""
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block


def seal_file(sealer: Sealer, blocks: Iterable[bytes], target: Path) -> None:
    """Write a whole object into the new file `target`, on the disk before this returns."""
    with target.open("xb") as file:
        for stored in sealed_blocks(sealer, blocks):
            file.write(stored)
        file.flush()
        os.fsync(file.fileno())
