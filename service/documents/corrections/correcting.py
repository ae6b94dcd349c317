"""`Correcting`: a person corrects a page, and the files of the document's newest reading follow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from service.database import Document
from service.documents.corrections import doubtful
from service.documents.corrections.editing import PageChange, approval, edits_of, with_edits
from service.documents.corrections.readings import DocumentPage, Readings, page_total
from service.documents.corrections.revising import Revising
from service.documents.corrections.rows import CorrectionRows
from service.engine.enqueuer import Enqueuer
from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import Job, Store
from service.engine.terms import Rerun, Terms
from service.lib.outages import outage_of
from service.lib.scratch import ScratchFolder
from tasks.ocr.corrections import Edit, PageCorrection, corrected
from tasks.pdf_ocr_revise import PdfOcrRevise, pdf_ocr_revise
from tasks.sdk.errors import Refused

T = TypeVar("T")

log = structlog.get_logger("offload.corrections")

INLINE_PAGES = 50
"""Pages of a document whose files are written before the answer: about a second. Longer ones follow as a job."""


@dataclass(frozen=True)
class Shop:
    """A folder and a process pool, for files that are written outside a job."""

    scratch: Path
    pool: CpuPool

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        """Run a function in one of the pool's children."""
        return await self.pool.run(function, *args, timeout_s=timeout_s)


@dataclass(frozen=True)
class Corrected:
    """A page after a change. `job_id` is the job by which the files follow; None where they have followed."""

    page: DocumentPage
    job_id: str | None
    detail: str
    """The change in numbers, for the audit log: none of the page's text."""


class Correcting:
    """Changes pages of documents."""

    def __init__(
        self,
        rows: CorrectionRows,
        readings: Readings,
        revising: Revising,
        store: Store,
        enqueuer: Enqueuer,
        pool: CpuPool,
    ) -> None:
        self.rows = rows
        self.readings = readings
        self.revising = revising
        self.store = store
        self.enqueuer = enqueuer
        self.pool = pool
        self._turns: dict[str, asyncio.Lock] = {}
        self._seen: dict[str, int] = {}

    async def correct(self, document: Document, number: int, change: PageChange, *, by: str) -> Corrected:
        """Change a page. Raises Refused (400, 404, 409) and PageChanged; then nothing is changed."""
        page = await self.readings.page(document, number)
        if page.rereading is not None:
            raise Refused(
                f"Page {number} is being read again by {page.rereading.id}: nothing was changed; send it again afterwards.",
                field="version",
                status_code=409,
            )
        version = page.check_version(change.version)
        if page.read is None or page.base is None:
            raise Refused(f"Page {number} has no text to correct: {page.reason}", field="words", status_code=409)
        if not change.words and change.approved is None:
            raise Refused("The change is empty: name words, or whether the page is approved.", field="words")
        edits = edits_of(page.read, change.words)
        base = page.base

        def changed(stored: PageCorrection) -> PageCorrection:
            merged = with_edits(stored, edits)
            if change.approved is not None:
                # Of the text as the changes leave it.
                merged.approved = ""
                merged.approved = approval(corrected(base, merged), change.approved)
            return merged

        await self.rows.change(
            document, number, changed, version=version, by=by, job_id=page.job.id, engine=base.engine or ""
        )
        after = await self.readings.page(document, number)
        await self._judge(document, page, after)
        job_id = await self.follow(document, page.job)
        return Corrected(after, job_id, _detail(number, edits, change.approved))

    async def _judge(self, document: Document, before: DocumentPage, after: DocumentPage) -> None:
        if after.read is not None:
            await doubtful.judged(self.rows.database, document, after.read)
        if not _is_changed(before) and _is_changed(after) and after.base is not None:
            async with self.rows.database.writing() as session:
                add = partial(doubtful.add_counts, self.rows.database, session, document)
                await add(after.base.engine or "", {"corrected": 1})

    async def follow(self, document: Document, job: Job) -> str | None:
        """Have the files of a reading follow its corrections. Returns the job that does it, where it takes one."""
        if page_total(job) > INLINE_PAGES:
            return await self.queue(document.owner, job.id)
        try:
            async with self._turn(job.id):
                # Who waited for another's turn may find that it has written this change too.
                if any(row.job_id == job.id for row in await self.rows.stale_of(document)):
                    async with _shop(self.pool) as shop:
                        await self.revising.revise(job.id, shop)
        except Exception as error:
            # The change is kept: the files must follow, but who made it need not send it again.
            log.warning(
                "corrections.files_follow_later",
                job=job.id,
                error=f"{type(error).__name__}: {error}"[:500],
                outage=bool(outage_of(error)),
            )
            return await self.queue(document.owner, job.id)
        return None

    async def queue(self, owner: str, job_id: str) -> str:
        """Queue the job that writes a reading's files again; one at a time."""
        payload, terms = PdfOcrRevise(job_id=job_id), Terms(rerun=Rerun(key=f"revise {job_id}"))
        accepted = await self.enqueuer.enqueue(pdf_ocr_revise, payload, owner=owner, priority="high", terms=terms)
        return accepted.job_id

    @contextlib.asynccontextmanager
    async def _turn(self, job_id: str) -> AsyncIterator[None]:
        """One writes a reading's files at a time in this process."""
        lock = self._turns.setdefault(job_id, asyncio.Lock())
        async with lock:
            yield
        if not lock.locked():
            self._turns.pop(job_id, None)

    async def catch_up(self) -> None:
        """Queue what must follow and has not: its process died in between, or a correction came while it was read."""
        seen: dict[str, int] = {}
        for row in await self.rows.stale(100):
            job = await self.store.get(row.job_id)
            if job is not None and not job.state.terminal:
                continue
            newest = await self.readings.newest(row.file_id)
            if job is None or newest is None or newest.id != row.job_id:
                await self.rows.forget([row.job_id])
            elif self._seen.get(row.job_id) == row.changes:
                await self.queue(row.owner, row.job_id)
            else:
                # A change of this moment is being followed where it was made.
                seen[row.job_id] = row.changes
        self._seen = seen


def _is_changed(page: DocumentPage) -> bool:
    return any(edit.before != edit.after for edit in page.stored.correction.edits)


def _detail(number: int, edits: Sequence[Edit], approved: bool | None) -> str:
    parts = []
    changed = [edit for edit in edits if edit.before != edit.after]
    if changed:
        lengths = ", ".join(f"{len(edit.before)} → {len(edit.after)}" for edit in changed[:20])
        parts.append(f"{len(changed)} corrected (characters: {lengths}{', …' if len(changed) > 20 else ''})")
    if len(edits) > len(changed):
        parts.append(f"{len(edits) - len(changed)} confirmed")
    if approved is not None:
        parts.append("marked as right" if approved else "no longer marked as right")
    return f"page {number}: {'; '.join(parts) or 'nothing changed'}"


@contextlib.asynccontextmanager
async def _shop(pool: CpuPool) -> AsyncIterator[Shop]:
    folder = ScratchFolder()
    try:
        yield Shop(folder.path, pool)
    finally:
        await asyncio.to_thread(folder.remove)
