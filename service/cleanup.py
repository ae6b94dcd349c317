"""`LeftoverFiles`: finds and removes what no record refers to."""

import asyncio
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import delete, select

from service.database import Database, Document, Upload, UploadPiece
from service.database.column_types import utc_now
from service.engine.job_files import path_of
from service.engine.payload_files import is_own_payload, payload_path
from service.engine.states import State
from service.engine.store import Store
from service.lib.clock import now_ms
from service.lib.scratch import in_use
from service.lib.storage.object_storage import NoSuchObject, Storage
from service.mail.campaign_removal import CampaignRemoval
from settings import Settings
from tasks.csv_export import csv_export
from tasks.ports.upkeep import Swept
from tasks.weekly_analytics import weekly_analytics

EXPORTING = (csv_export.name, weekly_analytics.name)
"""Job types whose files say until when they are kept."""

BATCH_SIZE = 500
"""Records one question is about."""


class LeftoverFiles:
    """Implements tasks.ports.upkeep.Leftovers."""

    def __init__(self, settings: Settings, store: Store, storage: Storage, database: Database) -> None:
        self._settings = settings
        self._store = store
        self._storage = storage
        self._database = database

    async def uploads(self, older_than_s: float) -> Swept:
        """Scratch files of uploads that have not been written to for so long, uploads whose time is over, and stored pieces
        that no upload counts."""
        folder = self._settings.data_dir / "uploads"
        swept = await asyncio.to_thread(_remove_quiet, folder.glob("*.part"), older_than_s)
        await self._forget_expired()
        pieces = _by_folder(await self._storage.list_older("uploads", older_than_s))
        for ids in _batches(sorted(pieces)):
            unfinished = select(Upload.upload_id).where(Upload.upload_id.in_(ids), Upload.file_id.is_(None))
            counted = select(UploadPiece.path).where(UploadPiece.upload_id.in_(ids))
            async with self._database.reading() as session:
                kept = set(await session.scalars(counted))
                # What a client sends to the storage itself has no row of its own.
                direct = set(await session.scalars(unfinished.where(Upload.presigned)))
            for upload_id in set(ids) - direct:
                await self._delete([path for path in pieces[upload_id] if path not in kept], swept)
        return swept

    async def _forget_expired(self) -> None:
        """Remove the rows of uploads whose time is over; their pieces then count for nothing."""
        expired = select(Upload.upload_id).where(Upload.expires_at < utc_now()).limit(BATCH_SIZE)
        while True:
            async with self._database.writing() as session:
                # Locked, so that a piece that arrives now either moves the time or finds no upload.
                ids = list(await session.scalars(expired.with_for_update()))
                await session.execute(delete(UploadPiece).where(UploadPiece.upload_id.in_(ids)))
                await session.execute(delete(Upload).where(Upload.upload_id.in_(ids)))
            if len(ids) < BATCH_SIZE:
                return

    async def scratch(self, older_than_s: float) -> Swept:
        """Scratch folders of workers that died, on this machine."""
        found = Path(tempfile.gettempdir()).glob("offload-*")
        # An idle worker writes nothing for days.
        return await asyncio.to_thread(_remove_quiet, (one for one in found if not in_use(one)), older_than_s)

    async def exports(self, older_than_s: float) -> Swept:
        """Export files whose time is over."""
        swept, before_ms = Swept(), now_ms() - older_than_s * 1000
        for job_type in EXPORTING:
            cursor: str | None = None
            while True:
                page = await self._store.list(type=job_type, state=State.COMPLETED, limit=BATCH_SIZE, cursor=cursor)
                for job in page.jobs:
                    if job.finished_ms is not None and job.finished_ms < before_ms:
                        await self._delete([path_of(job, one) for one in job.artefacts], swept)
                cursor = page.next_cursor
                if cursor is None:
                    break
        return swept

    async def unnamed(self, older_than_s: float) -> Swept:
        """Stored files of jobs and documents that there is no record of."""
        swept = Swept()
        jobs = _by_folder(await self._storage.list_older("jobs", older_than_s))
        for ids in _batches(sorted(jobs)):
            gone = set(await self._store.unknown(ids))
            for job_id in gone:
                await self._delete(jobs[job_id], swept)
            await self._delete(await self._payloads_replaced([i for i in ids if i not in gone], jobs), swept)
        documents = _by_folder(await self._storage.list_older("documents", older_than_s))
        for ids in _batches(sorted(documents)):
            async with self._database.reading() as session:
                named = set(await session.scalars(select(Document.file_id).where(Document.file_id.in_(ids))))
            unnamed = [path for file_id in set(ids) - named for path in documents[file_id]]
            for paths in _batches(unnamed):
                async with self._database.reading() as session:
                    # A document whose bytes another one shares was deleted, and they stay where they are.
                    shared = set(await session.scalars(select(Document.path).where(Document.path.in_(paths))))
                await self._delete([path for path in paths if path not in shared], swept)
        return swept

    async def _payloads_replaced(self, ids: Sequence[str], files: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """Payloads of these jobs that no record names any more, since a later request's took their place."""
        own = {i: [path for path in files[i] if is_own_payload(i, path)] for i in ids}
        wanted = [i for i, paths in own.items() if paths]
        jobs = await self._store.get_many(wanted) if wanted else []
        named = {payload_path(job.root, job.payload_file) for job in jobs if job and job.payload_file}
        return [path for job in jobs if job for path in own[job.id] if path not in named]

    async def campaigns(self, older_than_s: float) -> int:
        """Campaigns whose job there is no record of."""
        removal, removed, after = CampaignRemoval(self._database), 0, ""
        while ids := await removal.older(older_than_s, after):
            removed += await removal.forget(await self._store.unknown(ids))
            after = ids[-1]
        return removed

    async def _delete(self, paths: Sequence[str], swept: Swept) -> None:
        for path in paths:
            try:
                size = await self._storage.size(path)
            except NoSuchObject:
                continue
            await self._storage.delete(path)
            swept.files += 1
            swept.bytes += size


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """Paths such as jobs/<id>/files/export.csv by the id."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.split("/")[1], []).append(path)
    return found


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE))


def _remove_quiet(paths: Iterable[Path], older_than_s: float) -> Swept:
    """Remove files and folders in which nothing has been written for so long. What vanishes in the meantime is let go."""
    swept, before_s = Swept(), time.time() - older_than_s
    for path in paths:
        try:
            inside = [path, *path.rglob("*")] if path.is_dir() else [path]
            stats = [one.lstat() for one in inside]
            if max(one.st_mtime for one in stats) >= before_s:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:
            continue
        swept.files += 1
        swept.bytes += sum(one.st_size for one in stats if stat.S_ISREG(one.st_mode))
    return swept
