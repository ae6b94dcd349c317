"""`DocumentStore`: uploaded files by id, their bytes in the storage and their description in the database."""

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document, changed_rows
from service.database.column_types import utc_now
from service.database.owners import Owners
from service.documents.corrections.rows import forget_document
from service.documents.display_names import display_name
from service.documents.inspection import Inspection
from service.documents.malware import FoundMalware, Infected, Scan, Scanner, see_usable
from service.documents.quarantine import Quarantined, put_in_quarantine
from service.documents.quota import Quota, meter_removed
from service.documents.same_bytes import first_of, lock_bytes, lost_paths, sharing
from service.documents.upload import Pool, ScratchFile, inspected, received
from service.lib.storage.local_copy import copy_to
from service.lib.storage.object_storage import NoSuchObject, Storage
from settings import Settings
from tasks.sdk.errors import Permanent

FILE_ID = re.compile(r"file-[0-9a-f]{32}")

Recorded = Callable[[AsyncSession, Document], Awaitable[None]]
"""Called in the transaction that makes a document."""

BATCH_SIZE = 500
"""Ids in one query: some databases take no more than 999 values."""


class NoSuchFile(Permanent):
    """There is no such file, or it belongs to another owner."""

    def __init__(self, file_id: str) -> None:
        super().__init__(f"There is no file {file_id[:80]}.")


class DocumentStore:
    """Uploaded files. `owner=None` asks for a file of any owner, as a task does whose payload was checked before.

    `pool` looks into uploads; a process that takes none needs none. `quarantined` is told of each document in which malware was
    found.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        settings: Settings,
        pool: Pool | None = None,
        owners: Owners | None = None,
        scanner: Scanner | None = None,
        quarantined: Quarantined | None = None,
    ) -> None:
        self._database = database
        self._quota = Quota(database, owners or Owners(database, settings))
        self._storage = storage
        self._settings = settings
        self._pool = pool
        self._scanner = scanner or Scanner(settings)
        self._quarantined = quarantined

    async def upload(
        self,
        chunks: AsyncIterator[bytes],
        *,
        owner: str,
        name: str | None,
        announced: int = 0,
        reuse: bool = False,
        recorded: Recorded | None = None,
    ) -> Document:
        """Take in a file as it arrives, of which at least `announced` bytes are to come.

        Raises Refused (400, 413, 415), OverLimit or NotScanned, and then leaves nothing behind; FoundMalware (422), which
        leaves the file in quarantine.

        Bytes that the owner has stored already are not stored again; with `reuse` their document is returned, with
        its own name, in place of a new one. `recorded` runs in the transaction that makes the document; what it raises
        undoes all of it.
        """
        if not reuse:
            await self.refuse_early(owner, max(1, announced))
        shown = display_name(name)
        async with received(chunks, shown, self._settings) as scratch:
            document = await self._described(scratch, f"file-{uuid.uuid4().hex}", owner, shown)
            await self._put_away(document, scratch.path)
            return await self._record(document, scratch.path, reuse, recorded)

    async def refuse_early(self, owner: str, size: int) -> None:
        """Refuse a file of at least `size` bytes that has no room, before it comes. Raises OverLimit."""
        await self._quota.refuse_early(owner, size)

    async def take_stored(
        self, file_id: str, *, owner: str, name: str | None, reuse: bool, recorded: Recorded
    ) -> Document:
        """Make a document of bytes that lie in its place in the storage already. As `upload` otherwise."""
        shown = display_name(name)
        try:
            chunks = await self._storage.stream(f"{document_folder(file_id)}/content")
            async with received(chunks, shown, self._settings) as scratch:
                document = await self._described(scratch, file_id, owner, shown)
                await self._put_away(document, None)
                return await self._record(document, None, reuse, recorded)
        except FoundMalware:
            raise
        except BaseException:
            await self._drop(file_id)
            raise

    async def _put_away(self, document: Document, source: Path | None) -> None:
        """See that a file is not infected. One that is goes into quarantine: raises FoundMalware, OverLimit."""
        if document.scan != Scan.INFECTED:
            return
        try:
            kept, found = await put_in_quarantine(self._database, self._storage, self._quota, document, source)
        except BaseException:
            await self._drop(document.file_id)
            raise
        if kept is not document:
            await self._drop(document.file_id)
        if self._quarantined:
            for one in found:
                await self._quarantined(one)
        raise FoundMalware(kept)

    async def _described(self, scratch: ScratchFile, file_id: str, owner: str, shown: str) -> Document:
        """The row of a received file, after a scan and a look into it. Raises Refused, NotScanned."""
        if self._pool is None:
            raise RuntimeError("this process takes no uploads: its DocumentStore was given no pool")
        verdict = await self._scanner.upload(scratch.path, shown)
        # What malware is made for is to be opened.
        infected = verdict.state is Scan.INFECTED
        seen = Inspection() if infected else await inspected(scratch, shown, self._settings, self._pool)
        return Document(
            file_id=file_id,
            owner=owner,
            name=shown,
            bytes=scratch.size,
            sha256=scratch.sha256,
            media_type=scratch.media_type,
            pages=seen.pages,
            width=seen.width,
            height=seen.height,
            seconds=seen.seconds,
            path=f"{document_folder(file_id)}/content",
            scan=verdict.state,
            signature=verdict.signature,
            scanned_at=utc_now() if verdict.state in (Scan.CLEAN, Scan.INFECTED) else None,
        )

    async def _record(
        self, document: Document, source: Path | None, reuse: bool, recorded: Recorded | None
    ) -> Document:
        """Store the bytes, unless the owner has them, and write the row. `source` None: they are in their place."""
        own, owner, sha256 = document.path, document.owner, document.sha256
        try:
            there, lost = await lost_paths(self._database, self._storage, owner, sha256)
            limits = await self._quota.limits(owner)
            while True:
                if source is not None and not there:
                    await self._storage.move_in(own, source)
                    source = None
                async with self._database.writing() as session:
                    await lock_bytes(self._database, session, owner, sha256)
                    earlier = await session.scalar(first_of(owner, sha256, lost))
                    there = earlier is not None
                    if there or source is None:
                        kept = earlier if earlier is not None and reuse else document
                        document.path = earlier.path if earlier is not None else own
                        if kept is document:
                            await self._quota.count(session, document, limits, shared=there)
                            session.add(document)
                        if recorded:
                            await recorded(session, kept)
                        break
        except BaseException:
            await self._drop(document.file_id)
            raise
        if kept.path != own:
            await self._drop(document.file_id)
        return kept

    async def _drop(self, file_id: str) -> None:
        # Where the storage itself is away, the sweep of files that no record names has it later.
        with contextlib.suppress(Exception):
            await asyncio.shield(self._storage.delete_prefix(document_folder(file_id)))

    async def describe(self, file_id: str, owner: str | None = None, *, held: bool = False) -> Document:
        """Metadata of a file that may be used, with `held` also of one that waits for its scan.

        Raises NoSuchFile, Infected, NotScanned.
        """
        return see_usable(await self.metadata(file_id, owner), held=held)

    async def metadata(self, file_id: str, owner: str | None = None) -> Document:
        """Metadata of a file, which may be in quarantine: to be shown or deleted. Raises NoSuchFile."""
        if FILE_ID.fullmatch(file_id):
            async with self._database.reading() as session:
                document = await session.get(Document, file_id)
            if document is not None and owner in (None, document.owner):
                return document
        raise NoSuchFile(file_id)

    async def owned(self, file_ids: Sequence[str], owner: str) -> set[str]:
        """Those of many ids that are files of the owner. Raises Infected where one of them is in quarantine."""
        known = sorted({file_id for file_id in file_ids if FILE_ID.fullmatch(file_id)})
        found: set[str] = set()
        async with self._database.reading() as session:
            for start in range(0, len(known), BATCH_SIZE):
                among = Document.file_id.in_(known[start : start + BATCH_SIZE])
                infected = select(Document).where(among, Document.owner == owner, Document.scan == Scan.INFECTED)
                if (one := await session.scalar(infected.limit(1))) is not None:
                    raise Infected(one)
                found.update(await session.scalars(select(Document.file_id).where(among, Document.owner == owner)))
        return found

    async def content(self, document: Document, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` up to but not including `end`, of a file that may be used.

        Raises NoSuchFile immediately where they were deleted in the meantime, Infected, NotScanned.
        """
        return await self.bytes_of(see_usable(document), start, end)

    async def bytes_of(self, document: Document, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """As `content`, of any file: for the malware scan. Raises NoSuchFile."""
        try:
            return await self._storage.stream(document.path, start, end)
        except NoSuchObject:
            raise NoSuchFile(document.file_id) from None

    async def local(self, file_id: str, folder: Path) -> Path:
        """The file's bytes on a local path: the stored file itself, not to be changed, or a copy in `folder`."""
        document = await self.describe(file_id)
        try:
            return await copy_to(self._storage, document.path, folder, file_id)
        except NoSuchObject:
            raise NoSuchFile(file_id) from None

    async def delete(self, file_id: str, owner: str | None = None) -> None:
        """Remove the description, whatever was made from the document, and its bytes unless another document has the same.

        Raises NoSuchFile.
        """
        document = await self.metadata(file_id, owner)
        async with self._database.writing() as session:
            await lock_bytes(self._database, session, document.owner, document.sha256)
            if await changed_rows(session, delete(Document).where(Document.file_id == document.file_id)):
                await meter_removed(session, document)
            await forget_document(session, document)
            shared = await session.scalar(sharing(document)) is not None
        folder = document_folder(file_id)
        if not shared:
            await self._storage.delete(document.path)
            await self._storage.delete_prefix(folder)
            return
        for path in await self._storage.list(folder):
            if path != document.path:
                await self._storage.delete(path)


def document_folder(file_id: str) -> str:
    """Folder of everything about a file: its content, and what is derived from it."""
    return f"documents/{file_id}"
