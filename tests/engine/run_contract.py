"""A job that asserts what `Run` promises. Real workers and `tasks.sdk.testing.LocalRun` must both let it complete."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from settings.queues import Queue
from tasks.ports.files import Files
from tasks.sdk import ChildDied, EventTimedOut, Meter, Payload, Permanent, ProgramFailed, Run, job
from tests.engine.probe import Echo, double, probe_echo

METER = Meter("Piece {done} of {total} ({percent}%)", "pieces_done", "total_pieces", low=10, high=90)


class Contract(Payload):
    file_id: str


class ContractPart(Payload):
    number: int


class PartDone(msgspec.Struct):
    number: int
    attempt: int


@job(queue=Queue.THUMBNAILS, public=False, retries=1, backoff_s=0.05)
async def contract_part(payload: ContractPart, run: Run) -> PartDone:
    """Completes for 0, needs a second try for 1, fails for 2 and fails for good for 3."""
    await run.keep(f"part/{payload.number}", b"seen by the whole")
    assert await run.recall("before") == b"kept by the whole"
    if payload.number == 1 and run.attempt == 1:
        raise ValueError("once")
    if payload.number == 2:
        raise ValueError(f"number {payload.number} never works")
    if payload.number == 3:
        raise Permanent("Number 3 cannot be done.")
    if payload.number == 4:
        await run.parts(contract_part, [payload], METER, [1])
    return PartDone(payload.number, run.attempt)


@job(queue=Queue.THUMBNAILS, name="contract-public", retries=0)
async def contract_public(payload: Echo, run: Run) -> None:
    """Must never run as a part."""
    raise AssertionError("a public job ran as a part")


@job(queue=Queue.THUMBNAILS, public=False, retries=0, timeout_s=60)
async def run_contract(payload: Contract, run: Run) -> dict[str, Any]:
    """Asserts everything that can be seen from within; returns what can be compared from without."""
    await run.keep("before", b"kept by the whole")
    results = await run.parts(contract_part, [ContractPart(number=n) for n in range(5)], METER, [1] * 5)
    more = await run.parts(contract_part, [ContractPart(number=n) for n in (0, 3)], METER, [1] * 2)
    decision = await run.wait_for("approved", 60, question="Is it good enough?")
    with pytest.raises(EventTimedOut, match=r"The event never did not come within 0\.001 s\."):
        await run.wait_for("never", 0.001)
    with pytest.raises(Permanent, match="not 'no name'"):
        await run.wait_for("no name", 60)
    assert await run.parts(contract_part, [], METER, []) == []
    await _logging(run)
    await _cpu(run)
    await _keeping(run)
    await _files(run, payload)
    await _artefacts(run)
    await _concurrent(run)
    await _programs(run)
    await _services(run)
    with pytest.raises(KeyError):
        run.use(Run)
    with pytest.raises(Permanent, match="contract-public cannot be a part"):
        await run.parts(contract_public, [Echo(word="no")], METER, [1])
    following = await run.then(probe_echo, Echo(word="after"))
    assert following.startswith("probe-echo-")
    await run.stage(95, "Nearly there", extra=1)
    await run.stage(20, "Back again")
    return {
        "parts": [[part.number, part.status, part.result, part.error] for part in results],
        "more": [[part.number, part.status, part.result, part.error] for part in more],
        "decision": decision,
        "payloads": [part.payload.number for part in results],
        "attempt": run.attempt,
        "owner": run.owner,
    }


async def _logging(run: Run) -> None:
    run.log("it happened", attempt=7, job="mine", event="a field", level="none", timestamp=0, reason=ValueError("x"))


async def _cpu(run: Run) -> None:
    assert await run.cpu(double, 21) == 42
    with pytest.raises(ValueError, match="invalid literal"):
        await run.cpu(int, "no number")
    with pytest.raises(TimeoutError):
        await run.cpu(wait_for_a_signal, timeout_s=0.2)
    with pytest.raises(ChildDied):
        await run.cpu(kill_itself)
    with pytest.raises(Exception, match=r"(?i)pickle|local object|<lambda>"):
        await run.cpu(lambda: 1)


async def _keeping(run: Run) -> None:
    assert await run.kept("part/") == [f"part/{n}" for n in range(5)]
    assert await run.recall("part/0") == b"seen by the whole"
    assert await run.recall("nothing") is None
    await run.keep("before", b"again")
    assert await run.recall("before") == b"again"
    assert await run.kept() == ["before", *[f"part/{n}" for n in range(5)]]
    assert [await run.once("effect"), await run.once("effect"), await run.once("other")] == [True, False, True]


async def _files(run: Run, payload: Contract) -> None:
    described = await run.use(Files).describe(payload.file_id)
    assert (described.file_id, described.bytes, described.owner) == (payload.file_id, 4, run.owner)
    path = await run.use(Files).local(payload.file_id, run.scratch)
    assert path.read_bytes() == b"data"
    files = run.use(Files)
    for missing in (files.describe, lambda file_id: files.local(file_id, run.scratch)):
        with pytest.raises(Permanent, match="There is no file"):
            await missing("file-" + "0" * 32)
    assert run.scratch.is_dir() and run.scratch == run.scratch


async def _artefacts(run: Run) -> None:
    async def pieces(last: bytes | None) -> AsyncIterator[bytes]:
        yield b"one "
        if last is None:
            raise ValueError("torn")
        yield last

    path: Path = run.scratch / "made"
    path.write_bytes(b"from a file")
    await run.artefact("bytes.txt", b"first", "text/plain")
    await run.artefact("path.txt", path, "text/plain")
    await run.artefact("pieces.txt", pieces(b"two"), "text/plain")
    await run.artefact("bytes.txt", b"again", "text/html")
    with pytest.raises(ValueError, match="torn"):
        await run.artefact("torn.txt", pieces(None), "text/plain")


async def _concurrent(run: Run) -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async with run.beside(work()):
        await asyncio.sleep(0)
    assert ended == [True]


async def _services(run: Run) -> None:
    async with run.service("contract-crm"), run.service("contract-crm"):
        pass
    with pytest.raises(ZeroDivisionError):
        async with run.service("contract-crm"):
            raise ZeroDivisionError
    with pytest.raises(ValueError, match="small letters, digits and dashes"):
        async with run.service("No Service"):
            raise AssertionError("it has no such name")


async def _programs(run: Run) -> None:
    lines: list[str] = []
    python = [sys.executable, "-c"]
    code = (
        "import os, sys; print(os.getcwd()); print('x' * 100_000); "
        "print(*(name for name in os.environ if name.startswith('OFFLOAD'))); sys.stderr.write('e' * 50_000)"
    )
    errors = await run.program([*python, code], on_line=lines.append)
    # A line longer than is read is dropped in pieces, and no variable of the worker's reaches a program.
    assert lines[0] == str(run.scratch) and lines[-1] == ""
    assert errors == "e" * 16_384
    with pytest.raises(ProgramFailed, match="no such thing"):
        await run.program([*python, "raise SystemExit('no such thing')"])
    with pytest.raises(ChildDied, match="SIGKILL"):
        await run.program([*python, "import os; os.kill(os.getpid(), 9)"])
    pid: list[int] = []
    with pytest.raises(TimeoutError, match=r"limit of 0\.5 s"):
        await run.program(
            [*python, "import os, time; print(os.getpid(), flush=True); time.sleep(60)"],
            on_line=lambda line: pid.append(int(line)),
            timeout_s=0.5,
        )
    assert not any(psutil.pid_exists(one) for one in pid)


def wait_for_a_signal() -> None:
    signal.pause()


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Reader(Payload):
    job_id: str
    name: str


@job(queue=Queue.THUMBNAILS, public=False, retries=0)
async def contract_reader(payload: Reader, run: Run) -> str:
    """Reads another job's file."""
    return (await run.artefact_of(payload.job_id, payload.name)).decode()
