"""Job types and a worker settings class that the engine's tests run in real `arq` processes.

Side effects go to a ledger: a file outside Redis to which every process appends whole lines.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from settings.queues import Queue
from tasks.sdk import Meter, Payload, Permanent, Run, job

LEDGER = Path(os.environ.get("PROBE_LEDGER", os.devnull))


def write_ledger(*words: Any) -> None:
    """Append one line, atomically, that survives a kill -9 of the writer."""
    line = " ".join(str(word) for word in words) + "\n"
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode())
    os.close(descriptor)


class Echo(Payload):
    word: str = ""


@job(queue=Queue.THUMBNAILS, public=False)
async def probe_echo(payload: Echo, run: Run) -> dict[str, str]:
    """Answers with its word."""
    write_ledger("echo", run.job_id, payload.word, time.time())
    return {"word": payload.word}


class Nothing(Payload):
    """Nothing to do."""


@job(queue=Queue.THUMBNAILS, public=False)
async def probe_nothing(payload: Nothing, run: Run) -> None:
    """Returns at once."""


class Marked(msgspec.Struct):
    """A result that has a summary, and a tag to be found by."""

    marks: int

    @property
    def tags(self) -> tuple[str, ...]:
        return ("marked",) if self.marks else ()

    @property
    def summary(self) -> str:
        return f"Completed, with {self.marks} marks" if self.marks else ""

    @property
    def counts(self) -> dict[str, int]:
        return {"page_read": 10, "page_doubtful": self.marks}


class Mark(Payload):
    marks: int


@job(queue=Queue.THUMBNAILS, public=False)
async def probe_mark(payload: Mark, run: Run) -> Marked:
    """Returns a result with as many marks."""
    return Marked(payload.marks)


class Steps(Payload):
    steps: int
    step_s: float = 0.05


STEPS = Meter("Step {done} of {total} ({percent}%)", "steps_done", "total_steps", low=10, high=90)


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=60)
async def probe_steps(payload: Steps, run: Run) -> dict[str, int]:
    """Does its steps one by one, keeping each, so that a retry goes on where it was."""
    done = len(await run.kept("step"))
    write_ledger("begin", run.job_id, run.attempt, done)
    for step in range(done, payload.steps):
        await asyncio.sleep(payload.step_s)
        write_ledger("step", run.job_id, step)
        await run.keep(f"step{step:05}", b"done")
        await run.progress(step + 1, payload.steps, STEPS)
    return {"steps": payload.steps}


class Trouble(Payload):
    kind: str
    until_attempt: int = 1_000


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=1.0, backoff_s=0.05, retries=2)
async def probe_trouble(payload: Trouble, run: Run) -> str:
    """Fails in the way asked for, until an attempt."""
    write_ledger("trouble", run.job_id, run.attempt)
    if run.attempt >= payload.until_attempt:
        return "recovered"
    if payload.kind == "permanent":
        raise Permanent("there is nothing to be done about it")
    if payload.kind == "hang":
        await asyncio.sleep(3600)
    if payload.kind == "die":
        os.kill(os.getpid(), 9)
    raise ValueError(f"attempt {run.attempt} went wrong")


class Spread(Payload):
    parts: int
    bad: list[int] = []
    part_s: float = 0.01


class Piece(Payload):
    number: int
    bad: bool
    part_s: float


PIECES = Meter("Piece {done} of {total} ({percent}%)", "pieces_done", "total_pieces", low=0, high=90)


@job(queue=Queue.THUMBNAILS, public=False, retries=0)
async def probe_piece(payload: Piece, run: Run) -> int:
    """One piece; a bad one fails unless a file next to the ledger says that it has been fixed."""
    await asyncio.sleep(payload.part_s)
    write_ledger("piece", run.job_id, payload.number, time.time())
    if payload.bad and not LEDGER.with_suffix(".fixed").exists():
        raise ValueError(f"piece {payload.number} is bad")
    return payload.number * 10


@job(queue=Queue.THUMBNAILS, public=False, retries=0)
async def probe_spread(payload: Spread, run: Run) -> dict[str, Any]:
    """Spreads over parts and adds up what they answer."""
    pieces = [Piece(number=n, bad=n in payload.bad, part_s=payload.part_s) for n in range(payload.parts)]
    results = await run.parts(probe_piece, pieces, PIECES, [1] * payload.parts)
    write_ledger("gathered", run.job_id, sum(r.status == "completed" for r in results))
    bad = [r.number for r in results if r.status != "completed"]
    if len(bad) == payload.parts:
        raise Permanent("every piece failed")
    return {"sum": sum(r.result or 0 for r in results), "bad": bad}


class Peer(Payload):
    port: int


@job(queue=Queue.THUMBNAILS, public=False, retries=0)
async def probe_ask_peer(payload: Peer, run: Run) -> bytes:
    """Asks a peer that several job types share."""
    return await _ask(payload.port, run)


@job(queue=Queue.THUMBNAILS, public=False, retries=0)
async def probe_tell_peer(payload: Peer, run: Run) -> bytes:
    """Another job type that asks the same peer."""
    return await _ask(payload.port, run)


async def _ask(port: int, run: Run) -> bytes:
    async with run.service("peer"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await reader.readline()
        writer.close()
        return answer


class Chain(Payload):
    links: int


@job(queue=Queue.THUMBNAILS, public=False)
async def probe_chain(payload: Chain, run: Run) -> dict[str, str | None]:
    """Starts the next link with its completion, until none is left."""
    write_ledger("link", payload.links)
    following = await run.then(probe_chain, Chain(links=payload.links - 1)) if payload.links else None
    return {"next": following}


class Effects(Payload):
    effects: int
    effect_s: float = 0.01
    cpu: bool = False


def double(number: int) -> int:
    """Something for a pool child."""
    return number * 2


EFFECTS = Meter("Effect {done} of {total} ({percent}%)", "effects_done", "total_effects")


@job(queue=Queue.THUMBNAILS, public=False, retries=20, backoff_s=0.05, backoff_max_s=0.5)
async def probe_effects(payload: Effects, run: Run) -> int:
    """Has its effects one by one, each guarded by a checkpoint of its own."""
    for effect in range(payload.effects):
        if await run.once(f"effect{effect}"):
            write_ledger("effect", f"{run.job_id}/{effect}")
        await asyncio.sleep(payload.effect_s)
        await run.progress(effect + 1, payload.effects, EFFECTS)
    if payload.cpu and await run.cpu(double, 21) != 42:
        raise ValueError("the pool cannot count")
    write_ledger("through", run.job_id)
    return payload.effects


class Concurrent(Payload):
    hides: int


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=60)
async def probe_concurrent(payload: Concurrent, run: Run) -> int:
    """Has concurrent work that hides so many cancellations, as redis-py does where one meets a read."""
    hidden = 0

    async def watch() -> None:
        nonlocal hidden
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                hidden += 1
                if hidden > payload.hides:
                    raise

    async with run.beside(watch()):
        await asyncio.sleep(0)
    return hidden


class Checkpoints(Payload):
    name: str


@job(queue=Queue.THUMBNAILS, public=False, retries=1, backoff_s=0.05)
async def probe_checkpoints(payload: Checkpoints, run: Run) -> str:
    """Keeps a file in the storage."""
    write_ledger("keeping", run.job_id, run.attempt)
    await run.keep(payload.name, b"kept")
    write_ledger("kept", run.job_id)
    return payload.name
