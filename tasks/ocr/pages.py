"""Reading a range of pages: each alone in the pool, kept as soon as it is read. Runs in the worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import msgspec

from tasks.ocr.engines import NotPrepared
from tasks.ocr.page import Reading, prepare_engine, read_page, wants_preparing
from tasks.sdk import ChildDied, MemoryCeiling, Permanent, Run
from tasks.sdk.errors import is_infrastructure_error

PAGE_TIMEOUT_S = 60.0
"""A page takes one to three seconds, with torch some fifteen; a busy machine multiplies that."""

PREPARE_TIMEOUT_S = 300.0
"""Converting an engine's networks takes half a minute, once a machine; children that want them wait for the first."""

REASON_MAX = 500
"""Characters of a reason that are kept."""

PAGE_TRIES = 2
"""A child may die of what its neighbour did; a page that fails twice fails alone."""

PAGES_AT_ONCE = 4
"""Pages of one document in the pool's queue at once: bounds its share of the pool among other documents."""


PREPARING = "Preparing the OCR models (first use)…"
"""Shown for the half minute in which no page is read."""


class FailedPage(msgspec.Struct):
    """A page that could not be read; `page` counts from 1."""

    page: int
    reason: str


class PageFailure(FailedPage):
    """`final` where another attempt would meet the same: the page, not the machine, is the cause."""

    final: bool = False


def checkpoint_name(page: int) -> str:
    """Name under which page `page` (from 1) is kept."""
    return f"pages/{page:04d}.json"


async def read_pages(
    run: Run, path: Path, pages: Iterable[int], reading: Reading, done: Callable[[int], Awaitable[None]]
) -> list[PageFailure]:
    """Read and keep those of `pages` (from 1) that are not kept yet; `done(n)` is told how many are behind us.

    Returns the pages that failed, in order. Raises nothing for a page; a cancel, or a full disk, ends all of them.
    """
    wanted = list(pages)
    stored = set(await run.kept("pages/"))
    missing = [page for page in wanted if checkpoint_name(page) not in stored]
    finished = len(wanted) - len(missing)
    failed: list[PageFailure] = []
    turn = asyncio.Semaphore(PAGES_AT_ONCE)

    async def one(page: int) -> None:
        nonlocal finished
        async with turn:
            failure = await _read_one(run, path, page, reading)
        if failure:
            failed.append(failure)
        finished += 1
        await done(finished)

    async with asyncio.TaskGroup() as group:
        for page in missing:
            group.create_task(one(page))
    return sorted(failed, key=lambda failure: failure.page)


async def prepare(run: Run, path: Path, pages: range, reading: Reading) -> None:
    """Convert the engine's networks if they have not been yet and any of `pages` (from 0) of the document needs them."""
    try:
        if await run.cpu(wants_preparing, path, pages, reading, timeout_s=PAGE_TIMEOUT_S):
            await _prepare(run, reading)
    except Exception as error:
        # Each page that wants them tries again, and says for itself what went wrong; others need none.
        run.log("not prepared", reason=f"{type(error).__name__}: {error}")


async def _prepare(run: Run, reading: Reading) -> None:
    await run.stage(10, PREPARING)
    await run.cpu(prepare_engine, reading, timeout_s=PREPARE_TIMEOUT_S)


async def _read_one(run: Run, path: Path, page: int, reading: Reading) -> PageFailure | None:
    failure = PageFailure(page, "")
    for tried in range(1, PAGE_TRIES + 1):
        try:
            text = await _read(run, path, page, reading)
        except Exception as error:
            if is_infrastructure_error(error):
                raise
            # Whatever a torn page does to a library is that page's affair; the document goes on without it.
            failure.reason, failure.final = _cause(error)
            died = isinstance(error, ChildDied)
        else:
            await run.keep(checkpoint_name(page), text)
            return None
        run.log("page failed", page=page, page_try=tried, reason=failure.reason)
        if failure.final and not died:
            break
    return failure


def _cause(error: Exception) -> tuple[str, bool]:
    """The reason, and whether it is the page's own: what a page did to its child once it does again."""
    match error:
        case TimeoutError():
            return f"Reading the page took longer than {PAGE_TIMEOUT_S:g} s.", True
        case MemoryCeiling():
            return "Reading the page takes too much memory.", True
        case ChildDied():
            return f"The page crashes the reader: {error}.", True
        case Permanent():
            return str(error)[:REASON_MAX], True
        case _:
            return f"{type(error).__name__}: {error}"[:REASON_MAX], False


async def _read(run: Run, path: Path, page: int, reading: Reading) -> bytes:
    try:
        return await run.cpu(read_page, path, page - 1, reading, timeout_s=PAGE_TIMEOUT_S)
    except NotPrepared:
        await _prepare(run, reading)
        return await run.cpu(read_page, path, page - 1, reading, timeout_s=PAGE_TIMEOUT_S)
