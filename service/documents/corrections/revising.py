"""The files of a completed reading, written again with its corrections: all of them, or none."""

import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from service.database import Document
from service.documents.corrections.readings import Readings, page_total
from service.documents.corrections.rows import CorrectionRows
from service.documents.store import DocumentStore
from service.engine.job_files import artefact_of, artefact_path, checkpoint_path, revision_folder
from service.engine.payload_files import PayloadFiles
from service.engine.states import State
from service.engine.store import Job, Store
from service.engine.store.script_inputs import as_json
from service.lib.storage.object_storage import NoSuchObject, Storage
from tasks.ocr.corrections import CorrectedRun
from tasks.ocr.finishing import Finished, write_artefacts
from tasks.ocr.pages import FailedPage, checkpoint_name
from tasks.pdf_ocr import PdfOcr
from tasks.sdk.errors import Permanent

T = TypeVar("T")

log = structlog.get_logger("offload.corrections")

TRIES = 5
"""Times that the files are written before it is left to the next change: each time another change came in between."""

TAIL_BYTES = 4 << 20
"""Bytes at the end of pages.json in which its failed pages stand: some ten thousand of them."""

FAILED = b'],"failed_pages":'


class Workshop(Protocol):
    """Parts of a run that writing files takes."""

    @property
    def scratch(self) -> Path: ...

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T: ...


class FinishedRun:
    """A completed job as `write_artefacts` sees it: its pages are read, and its files go to a folder of their own."""

    def __init__(self, job: Job, storage: Storage, files: DocumentStore, shop: Workshop, revision: str) -> None:
        self.job = job
        self.storage = storage
        self.files = files
        self.scratch = shop.scratch
        self.cpu = shop.cpu
        self.revision = revision
        self.artefacts: list[dict[str, Any]] = []

    async def recall(self, name: str) -> bytes | None:
        """The bytes that the job kept under `name`."""
        try:
            return await self.storage.get(checkpoint_path(self.job.root, name))
        except NoSuchObject:
            return None

    async def artefact(self, name: str, data: bytes | Path | AsyncIterator[bytes], media_type: str) -> None:
        """Put a file into the folder of the revision."""
        path = f"{revision_folder(self.job.root, self.revision)}/{name}"
        await self.storage.put(path, data)
        size = await self.storage.size(path)
        self.artefacts.append({"name": name, "bytes": size, "media_type": media_type, "revision": self.revision})

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        """The job has ended: its bar stays full."""

    def use(self, port: type[Any]) -> Any:
        """The files, which is all that is asked for."""
        return self.files

    def log(self, event: str, /, **fields: Any) -> None:
        """One line in the log of this process."""
        log.info(event, job=self.job.id, **fields)


class Revising:
    """Writes the files of readings again."""

    def __init__(self, readings: Readings, rows: CorrectionRows, store: Store, storage: Storage, files: DocumentStore):
        self.readings = readings
        self.rows = rows
        self.store = store
        self.storage = storage
        self.files = files

    async def revise(self, job_id: str, shop: Workshop) -> Finished | None:
        """Write the files of a reading with all corrections of its document. None where the reading, or its document, is gone.

        The old files are there until all new ones are. Raises Permanent where its pages are no longer kept.
        """
        finished = None
        for _ in range(TRIES):
            job = await self.store.get(job_id)
            if job is None or job.state is not State.COMPLETED:
                await self.rows.forget([job_id] if job is None else [])
                return finished
            await PayloadFiles(self.storage).load(job)
            document = await self.files.describe(str(job.payload.get("file_id", "")))
            changes, corrections = await self.rows.to_revise(document, job_id)
            revision = f"{job.revision + 1:06d}-{secrets.token_hex(4)}"
            run = FinishedRun(job, self.storage, self.files, shop, revision)
            try:
                written = await self._written(document, job, CorrectedRun(run, corrections))
                replaced = await self._replace(job, run, written)
            except BaseException:
                await self.storage.delete_prefix(revision_folder(job.root, revision) + "/")
                raise
            if not replaced:
                await self.storage.delete_prefix(revision_folder(job.root, revision) + "/")
                continue
            finished = written
            await self._remove_older(job)
            if await self.rows.revised(job_id, changes):
                return finished
        return finished

    async def _written(self, document: Document, job: Job, run: CorrectedRun) -> Finished:
        total, base = page_total(job), checkpoint_path(job.root, "")
        kept = {path[len(base) :] for path in await self.storage.list(base + "pages")}
        missing = [page for page in range(1, total + 1) if checkpoint_name(page) not in kept]
        reasons = await self._failed_pages(job) if missing else {}
        if not total or any(page not in reasons for page in missing):
            raise Permanent(f"What was read of {document.name} is no longer kept: have it read again first.")
        failed = [FailedPage(page, reasons[page]) for page in missing]
        return await write_artefacts(msgspec.convert(job.payload, PdfOcr), run, total, failed)

    async def _failed_pages(self, job: Job) -> dict[int, str]:
        """Reasons by page, from the end of pages.json, which lists all of them."""
        path = artefact_of(job, "pages.json")
        if path is None:
            return {}
        try:
            size = await self.storage.size(path)
            chunks = [chunk async for chunk in await self.storage.stream(path, max(0, size - TAIL_BYTES), size)]
        except NoSuchObject:
            return {}
        listed = b"".join(chunks).rpartition(FAILED)[2].removesuffix(b"}")
        return {one.page: one.reason for one in msgspec.json.decode(listed, type=list[FailedPage])}

    async def _replace(self, job: Job, run: FinishedRun, written: Finished) -> bool:
        result = written.result
        data = dict(job.data) | {"doubtful_pages": result.doubtful_pages}
        return await self.store.revised(
            job,
            {
                "artefacts": as_json(run.artefacts),
                "result": as_json(result),
                "data": as_json(data),
                "message": result.summary or "Done",
            },
            result.tags,
        )

    async def _remove_older(self, job: Job) -> None:
        """Remove files that were out of date before: who was downloading those of the last revision may go on."""
        revisions = revision_folder(job.root, "")
        for path in await self.storage.list(revisions.rstrip("/")):
            number = path[len(revisions) :].partition("-")[0]
            if number.isdigit() and int(number) < job.revision:
                await self.storage.delete(path)
        if job.revision:
            await self.storage.delete_prefix(artefact_path(job.root, ""))
