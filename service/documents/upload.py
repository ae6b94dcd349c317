"""Taking in one file: to a scratch file while it arrives, looked at there, and only then into the storage."""

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from service.documents.inspection import Inspection, inspect_file
from service.documents.media_types import READ_HERE, SNIFF_BYTES, media_type_of
from service.documents.other_kinds import kind_of
from settings import Settings
from tasks.sdk.errors import ChildDied, MemoryCeiling, Refused

T = TypeVar("T")

WRITE_BYTES = 1 << 20
"""Collected before a thread writes and hashes them: the server's 64 KiB at a time are too little for a thread hop."""

INSPECTION_TIMEOUT_S = 30
"""PDFium opens 5,000 pages in well under a second; a file that takes this long was made to."""


class Pool(Protocol):
    """A pool that inspects files: `CpuPool`, or another that runs functions apart from this process."""

    async def run(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T: ...


@dataclass
class ScratchFile:
    """The bytes that have arrived so far."""

    path: Path
    size: int = 0
    media_type: str | None = None
    _file: BinaryIO | None = field(default=None, repr=False)
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)

    @property
    def sha256(self) -> str:
        return str(self._hash.hexdigest())

    def append(self, data: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("xb")
        self._file.write(data)
        self._hash.update(data)

    def close(self) -> None:
        """Put the bytes on the disk: an upload that was answered with 201 survives a power cut."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def remove(self) -> None:
        # First: on a full disk closing fails too, for what is still to be written.
        self.path.unlink(missing_ok=True)
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()


@asynccontextmanager
async def received(chunks: AsyncIterator[bytes], name: str, settings: Settings) -> AsyncIterator[ScratchFile]:
    """The whole file under DATA_DIR/uploads, counted, hashed and typed; gone afterwards unless it was moved elsewhere.

    Raises Refused as soon as it is clear: 400 empty, 413 too large, 415 neither a PDF nor an image nor a
    video by its first bytes.
    """
    folder = settings.data_dir / "uploads"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    scratch = ScratchFile(folder / f"{secrets.token_hex(16)}.part")
    try:
        waiting = bytearray()
        async for chunk in chunks:
            scratch.size += len(chunk)
            if scratch.size > settings.max_upload_bytes:
                raise Refused(too_large(name, settings.max_upload_bytes), field="file", status_code=413)
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                check_type(scratch, name, waiting)
                await asyncio.to_thread(scratch.append, bytes(waiting))
                waiting.clear()
        if scratch.size == 0:
            raise Refused(f"{name} is empty.", field="file")
        check_type(scratch, name, waiting)
        await asyncio.to_thread(scratch.append, bytes(waiting))
        await asyncio.to_thread(scratch.close)
        yield scratch
    finally:
        await asyncio.shield(asyncio.to_thread(scratch.remove))


def check_type(scratch: ScratchFile, name: str, beginning: bytearray) -> None:
    """Type the file by its beginning, the first time there is one. Raises Refused (415)."""
    if scratch.media_type is None:
        scratch.media_type = media_type_of(bytes(beginning[:SNIFF_BYTES]))
    if scratch.media_type is None:
        raise Refused(_not_read(name, bytes(beginning[:SNIFF_BYTES])), field="file", status_code=415)


def _not_read(name: str, head: bytes) -> str:
    kind = kind_of(head)
    if kind is None:
        return f"{name} is not a PDF, image or video; send {READ_HERE}."
    return f"{name} is {kind}, which is not read here; send {READ_HERE}."


def too_large(name: str, limit: int) -> str:
    """Sentence about a file above the limit, in bytes."""
    return f"{name} is too large: the limit is {limit:,} bytes."


async def inspected(scratch: ScratchFile, name: str, settings: Settings, pool: Pool) -> Inspection:
    """Facts of a received file: its pages, or the measures of a video.

    Raises Refused: 400 damaged, cut short, without pages, or impossible to open safely; 413 more than MAX_PAGES or
    MAX_VIDEO_SECONDS; 415 sound without a picture.
    """
    try:
        seen: Inspection = await pool.run(
            inspect_file, scratch.path, scratch.media_type, timeout_s=INSPECTION_TIMEOUT_S
        )
    except TimeoutError:
        raise Refused(f"{name} cannot be opened within {INSPECTION_TIMEOUT_S} seconds.", field="file") from None
    except MemoryCeiling:
        raise Refused(f"{name} needs too much memory to be opened.", field="file") from None
    except ChildDied:
        raise Refused(f"{name} cannot be opened: it crashes the reader.", field="file") from None
    if seen.fault:
        raise Refused(f"{name} {seen.fault}.", field="file", status_code=415 if seen.other_kind else 400)
    if seen.seconds is not None and seen.seconds > settings.max_video_seconds:
        sentence = f"{name} is {seen.seconds:,.0f} seconds long: the limit is {settings.max_video_seconds:,}."
        raise Refused(sentence, field="file", status_code=413)
    if seen.pages is not None and seen.pages > settings.max_pages:
        sentence = f"{name} has {seen.pages:,} pages: the limit is {settings.max_pages:,}."
        raise Refused(sentence, field="file", status_code=413)
    return seen
