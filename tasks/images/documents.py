"""Thumbnails of several documents under a `Run`. Runs in the worker; each document is rendered in a child of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tasks.images.variants import Thumbnail, Variant
from tasks.ports.files import Files, StoredFile
from tasks.ports.thumbnails import Thumbnails
from tasks.sdk import ChildDied, MemoryCeiling, Permanent, Run

RENDER_TIMEOUT_S = 10.0
"""The slowest picture we take (400 million pixels) needs half of it on a core of its own; four that hang fit 60 s."""

RENDER_TRIES = 2
"""A child may die of what its neighbour did; a document on which two die is the cause."""


class DocumentDone(msgspec.Struct):
    """Result of one document: its thumbnails were made, found to be there already, or could not be made."""

    document_id: str
    status: Literal["made", "found", "failed"]
    reason: str | None = None


async def make_thumbnails(
    run: Run,
    document_ids: Sequence[str],
    wanted: Sequence[Variant],
    at_once: int,
    done: Callable[[int], Awaitable[None]],
) -> list[DocumentDone]:
    """Result of each document, in order; `done(n)` is called with the number that have ended. One failing fails no other."""
    work = _Work(run, wanted, set(await run.kept("failed/")))
    turn = asyncio.Semaphore(at_once)
    finished = 0

    async def one(document_id: str) -> DocumentDone:
        nonlocal finished
        async with turn:
            outcome = await work.document(document_id)
        finished += 1
        await done(finished)
        return outcome

    async with asyncio.TaskGroup() as group:
        started = [group.create_task(one(document_id)) for document_id in document_ids]
    return [task.result() for task in started]


class _Work:
    """`failed`: names of the contents that failed in an earlier attempt of this job, which a retry does not repeat."""

    def __init__(self, run: Run, wanted: Sequence[Variant], failed: set[str]) -> None:
        self.run = run
        self.wanted = wanted
        self.failed = failed
        self.thumbnails = run.use(Thumbnails)
        # Equal documents of one job are rendered once, not side by side.
        self.busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def document(self, document_id: str) -> DocumentDone:
        try:
            document = await self.run.use(Files).describe(document_id)
            if document.media_type.startswith("video/"):
                raise Permanent("It is a video: video-transcode makes its poster.")
            async with self.busy[document.sha256]:
                return await self._content(document)
        except Permanent as error:
            return DocumentDone(document_id, "failed", str(error))

    async def _content(self, document: StoredFile) -> DocumentDone:
        lacking = await self.thumbnails.lacking(document.sha256, self.wanted)
        if not lacking:
            return DocumentDone(document.file_id, "found")
        name = f"failed/{document.sha256}"
        if name in self.failed:
            raise Permanent((await self.run.recall(name) or b"").decode())
        path = await self.run.use(Files).local(document.file_id, self.run.scratch)
        try:
            made = await self._rendered(path, lacking)
        except Permanent as error:
            self.failed.add(name)
            await self.run.keep(name, str(error).encode())
            await self.thumbnails.give_up(document.sha256, str(error))
            self.run.log("no thumbnail", document=document.file_id, reason=str(error))
            raise
        finally:
            if path.is_relative_to(self.run.scratch):
                path.unlink()
        await self.thumbnails.keep(document.sha256, made)
        return DocumentDone(document.file_id, "made")

    async def _rendered(self, path: Path, lacking: Sequence[Variant]) -> list[Thumbnail]:
        """Raises Permanent, whatever the document did to its child."""
        # The libraries of pictures are loaded where pictures are drawn, and by no other queue.
        from tasks.images.thumbnails import render_thumbnails

        for _ in range(RENDER_TRIES):
            try:
                return await self.run.cpu(render_thumbnails, path, lacking, timeout_s=RENDER_TIMEOUT_S)
            except TimeoutError:
                raise Permanent(f"It cannot be drawn within {RENDER_TIMEOUT_S:g} seconds.") from None
            except MemoryCeiling:
                raise Permanent("It takes too much memory to draw.") from None
            except ChildDied:
                continue
        raise Permanent("It cannot be drawn: it crashes the reader.")
