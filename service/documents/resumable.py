"""`ResumableUploads`: files that arrive in several requests, each continuing where the stored bytes end.

Pieces lie in the storage, so that any web process can take the next one. A piece counts once its row is written, in the
transaction that moves the offset: of two requests for one offset one wins, and bytes of a process that died count for nothing.
The last piece counts in the transaction that makes the document.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document, Upload, UploadPiece, changed_rows
from service.database.column_types import utc_now
from service.documents.checksums import Checksum, ChecksumMismatch
from service.documents.display_names import display_name
from service.documents.media_types import SNIFF_BYTES
from service.documents.store import DocumentStore
from service.documents.upload import WRITE_BYTES, ScratchFile, check_type, too_large
from service.documents.upload_errors import NoSuchUpload, OffsetConflict, TooManyUploads, UploadExpired
from service.lib.storage.object_storage import NoSuchObject, Storage
from settings import Settings
from tasks.sdk.errors import Refused

PIECE_BYTES = 8 << 20
"""Bytes after which an arriving piece is stored and counts: what a lost connection costs at most."""

UNFINISHED_MAX = 1_000
"""Unfinished uploads that an owner may have: each holds disk until it expires."""


@dataclass
class _Piece:
    """Bytes that have arrived and do not count yet, in a scratch file from byte `start` of the upload on."""

    start: int
    scratch: ScratchFile
    waiting: bytearray = field(default_factory=bytearray)
    tried: bool = False
    """True once it has been tried to have the bytes count."""

    @property
    def end(self) -> int:
        return self.start + self.scratch.size

    async def add(self, chunk: bytes) -> None:
        self.scratch.size += len(chunk)
        self.waiting += chunk
        if len(self.waiting) >= WRITE_BYTES:
            await self.write()

    async def write(self) -> None:
        data, self.waiting = bytes(self.waiting), bytearray()
        await asyncio.to_thread(self.scratch.append, data)


class ResumableUploads:
    """The uploads of all owners."""

    def __init__(self, database: Database, storage: Storage, settings: Settings, files: DocumentStore) -> None:
        self.database = database
        self.storage = storage
        self.settings = settings
        self.files = files

    async def create(
        self,
        owner: str,
        name: str | None,
        size: int,
        *,
        upload_id: str = "",
        described: str = "",
        sha256: str | None = None,
        reuse: bool = False,
        presigned: bool = False,
        valid: timedelta | None = None,
    ) -> Upload:
        """Begin an upload of `size` bytes. Raises Refused (400 empty, 413 too large), TooManyUploads."""
        shown = display_name(name)
        if size == 0:
            raise Refused(f"{shown} is empty.", field="file")
        if size > self.settings.max_upload_bytes:
            sentence = too_large(shown, self.settings.max_upload_bytes)
            raise Refused(sentence, field="file", status_code=413)
        upload = Upload(
            upload_id=upload_id or new_upload_id(),
            owner=owner,
            name=shown,
            bytes=size,
            received=0,
            described=described,
            sha256=sha256,
            presigned=presigned,
            reuse=reuse,
            expires_at=utc_now() + (valid or self.lasting),
        )
        if not reuse:
            await self.files.refuse_early(owner, size)
        unfinished = select(func.count()).where(
            Upload.owner == owner, Upload.file_id.is_(None), Upload.expires_at > utc_now()
        )
        async with self.database.writing() as session:
            if (await session.scalar(unfinished) or 0) >= UNFINISHED_MAX:
                raise TooManyUploads(f"{UNFINISHED_MAX:,} uploads are unfinished: finish some, or delete them")
            session.add(upload)
        return upload

    @property
    def lasting(self) -> timedelta:
        """Time after its last piece in which an upload expires."""
        return timedelta(hours=self.settings.upload_expires_hours)

    async def get(self, upload_id: str, owner: str, *, presigned: bool = False) -> Upload:
        """An upload. Raises NoSuchUpload, UploadExpired."""
        async with self.database.reading() as session:
            upload = await session.get(Upload, upload_id)
        if upload is None or upload.owner != owner or upload.presigned != presigned:
            raise NoSuchUpload(upload_id)
        if upload.expires_at <= utc_now() and upload.file_id:
            raise NoSuchUpload(upload_id)
        if upload.expires_at <= utc_now():
            raise UploadExpired(f"the upload {upload_id} was not finished in time: begin it again")
        return upload

    async def append(
        self, upload_id: str, owner: str, offset: int, chunks: AsyncIterator[bytes], checksum: Checksum | None = None
    ) -> Upload:
        """Take the bytes from `offset` on; returns the upload as it is then, complete where they were the last.

        With a checksum the bytes count all together or not at all; without one, those that came before the connection
        broke count. Raises OffsetConflict, ChecksumMismatch, Refused (400, 413, 415: then the upload is removed),
        NoSuchUpload, UploadExpired.
        """
        upload = await self.get(upload_id, owner)
        if offset != upload.received:
            raise OffsetConflict(upload.received)
        if upload.file_id is not None:
            return upload
        piece = await self._new_piece(offset)
        try:
            async for chunk in chunks:
                piece = await self._take(upload, piece, chunk, checksum)
            if checksum:
                checksum.verify()
            await self._count(upload, piece)
        except (ChecksumMismatch, OffsetConflict, Refused, NoSuchUpload):
            raise
        except Exception:
            # The connection broke, unless a part of the service is away.
            if checksum is None and not piece.tried:
                with contextlib.suppress(OffsetConflict):
                    await self._count(upload, piece)
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(piece.scratch.remove))
        return await self.get(upload_id, owner)

    async def _take(self, upload: Upload, piece: _Piece, chunk: bytes, checksum: Checksum | None) -> _Piece:
        """Add arriving bytes. Returns the piece that the next ones belong to."""
        if piece.end + len(chunk) > upload.bytes:
            raise Refused(f"More bytes came than the {upload.bytes:,} announced.", field="Upload-Length")
        if checksum:
            checksum.update(chunk)
        await piece.add(chunk)
        if checksum is None and piece.scratch.size >= PIECE_BYTES and piece.end < upload.bytes:
            return await self._count(upload, piece)
        return piece

    async def delete(self, upload_id: str, owner: str) -> None:
        """Give an upload up; a document that was made of it stays. Raises NoSuchUpload, UploadExpired."""
        await self.get(upload_id, owner)
        await self._remove(upload_id)

    async def _remove(self, upload_id: str) -> None:
        async with self.database.writing() as session:
            await session.execute(delete(UploadPiece).where(UploadPiece.upload_id == upload_id))
            await session.execute(delete(Upload).where(Upload.upload_id == upload_id))
        await self.storage.delete_prefix(upload_folder(upload_id))

    async def _new_piece(self, start: int) -> _Piece:
        folder = self.settings.data_dir / "uploads"
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return _Piece(start, ScratchFile(folder / f"{secrets.token_hex(16)}.part"))

    async def _count(self, upload: Upload, piece: _Piece) -> _Piece:
        """Have the bytes of a piece count. Returns the piece that begins behind it."""
        if piece.scratch.size == 0:
            return piece
        piece.tried = True
        await piece.write()
        await asyncio.to_thread(piece.scratch.close)
        try:
            if piece.start == 0 and (piece.scratch.size >= SNIFF_BYTES or piece.end == upload.bytes):
                check_type(piece.scratch, upload.name, await asyncio.to_thread(_head, piece.scratch.path))
            if piece.end == upload.bytes:
                await self._finish(upload, piece)
            else:
                await self._store(upload, piece)
        except Refused:
            # It can never become a document.
            await self._remove(upload.upload_id)
            raise
        await asyncio.to_thread(piece.scratch.remove)
        return await self._new_piece(piece.end)

    async def _store(self, upload: Upload, piece: _Piece) -> None:
        # Random, so that of two requests for one offset the one that loses takes nothing of the other's.
        path = f"{upload_folder(upload.upload_id)}/{piece.start:015d}-{secrets.token_hex(4)}"
        size = piece.scratch.size
        await self.storage.move_in(path, piece.scratch.path)
        try:
            async with self.database.writing() as session:
                await self._advance(session, upload, piece, None)
                session.add(UploadPiece(upload_id=upload.upload_id, start=piece.start, bytes=size, path=path))
        except BaseException:
            # Where the storage is away, the sweep has it later.
            with contextlib.suppress(Exception):
                await asyncio.shield(self.storage.delete(path))
            raise

    async def _finish(self, upload: Upload, piece: _Piece) -> None:
        async def recorded(session: AsyncSession, document: Document) -> None:
            await self._advance(session, upload, piece, document.file_id)
            await session.execute(delete(UploadPiece).where(UploadPiece.upload_id == upload.upload_id))

        whole = self._whole(upload, piece)
        await self.files.upload(whole, owner=upload.owner, name=upload.name, reuse=upload.reuse, recorded=recorded)
        with contextlib.suppress(Exception):
            await self.storage.delete_prefix(upload_folder(upload.upload_id))

    async def _advance(self, session: AsyncSession, upload: Upload, piece: _Piece, file_id: str | None) -> None:
        """Move the offset behind a piece. Raises OffsetConflict where another request has moved it."""
        here = (Upload.upload_id == upload.upload_id, Upload.received == piece.start, Upload.file_id.is_(None))
        moved = {"received": piece.end, "expires_at": utc_now() + self.lasting, "file_id": file_id}
        if not await changed_rows(session, update(Upload).where(*here).values(**moved)):
            row = await session.get(Upload, upload.upload_id)
            if row is None:
                raise NoSuchUpload(upload.upload_id)
            raise OffsetConflict(row.received)

    async def _whole(self, upload: Upload, last: _Piece) -> AsyncIterator[bytes]:
        """Every byte of an upload: those of its pieces, then those of the last."""
        pieces = select(UploadPiece).where(UploadPiece.upload_id == upload.upload_id).order_by(UploadPiece.start)
        async with self.database.reading() as session:
            found = list(await session.scalars(pieces))
        at = 0
        for piece in found:
            if piece.start != at or at >= last.start:
                break
            try:
                async for chunk in await self.storage.stream(piece.path):
                    yield chunk
            except NoSuchObject:
                break
            at += piece.bytes
        if at != last.start:
            raise Refused("Earlier pieces of this upload are gone: begin it again.", field="file", status_code=410)
        with await asyncio.to_thread(last.scratch.path.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, WRITE_BYTES):
                yield chunk


def new_upload_id() -> str:
    """A random id, which none can guess."""
    return f"upload-{secrets.token_hex(16)}"


def upload_folder(upload_id: str) -> str:
    """Folder of an upload's pieces in the storage."""
    return f"uploads/{upload_id}"


def _head(path: Path) -> bytearray:
    with path.open("rb") as file:
        return bytearray(file.read(SNIFF_BYTES))
