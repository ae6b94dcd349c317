"""One attempt, from its claim to its outcome, over a real store: begun, returned, lost."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.outcomes import OutcomeKind, StopReason
from service.engine.pool.cpu_pool import CpuPool
from service.engine.runtime import Runtime
from service.engine.states import State
from service.engine.store import Job, LeaseLost, Store, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.worker.execution import NEWER_MAX_S, Execution
from service.engine.worker.listener import Alarm
from service.engine.worker.outages import Outages
from service.lib.storage.object_storage import Storage
from settings import Queue, load_settings
from tasks.sdk import Finished, Payload, job
from tasks.sdk.results import RESULT_BYTES_MAX
from tasks.sdk.types import REGISTRY
from tests.engine import probe

QUEUE = "thumbnails"


class Coloured(Payload):
    """As a newer release declares it, of which this one knows less."""

    word: str = ""
    colour: str = "red"
    sizes: list[int] = []


@job(queue=Queue.THUMBNAILS, public=False, name="probe-coloured")
async def probe_coloured(payload: Coloured, run: Any) -> None:
    """Never run: workers of these tests know it as probe-echo."""


class Attempts:
    """Claims jobs and executes them as a worker does."""

    def __init__(self, store: Store, enqueuer: Enqueuer) -> None:
        settings = load_settings()
        self.store, self.enqueuer = store, enqueuer
        self.runtime = Runtime(settings, store, enqueuer, Storage(settings.storage_url), {})
        self.outages = Outages(store, QUEUE, {}, Alarm())
        self.outcomes: list[Outcome] = []
        self.begun: list[str] = []

    async def claim(self, lease_ms: int = 60_000) -> Job:
        known = msgspec.msgpack.encode(["probe-echo", "probe-coloured"])
        (claimed,) = (await self.store.claimed(Claim(QUEUE, "w", 1, lease_ms, known))).jobs
        return claimed

    def execution(self, claimed: Job, task: Callable[[Any, Any], Awaitable[Any]], **more: Any) -> Execution:
        async def function(payload: Any, run: Any) -> Any:
            self.begun.append(claimed.id)
            return await task(payload, run)

        job_type = replace(probe.probe_echo, function=function, timeout_s=60)
        pool = CpuPool(1, memory_mb=256, name="unused")
        return Execution(claimed, job_type, self.runtime, pool, self._report, self.outages, **more)

    def _report(self, outcome: Outcome) -> "asyncio.Future[str]":
        self.outcomes.append(outcome)

        async def settled() -> str:
            return (await self.store.settled([outcome]))[0]

        return asyncio.ensure_future(settled())


@pytest.fixture
def attempts(store: Store, enqueuer: Enqueuer) -> Attempts:
    return Attempts(store, enqueuer)


async def nothing(payload: Any, run: Any) -> None:
    """A task that is over at once."""


async def test_a_job_whose_lease_is_over_is_not_begun(attempts: Attempts) -> None:
    await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    claimed = await attempts.claim()
    state = await attempts.execution(claimed, nothing, leased_until_s=time.monotonic() - 0.001).process()
    assert (state, attempts.begun, attempts.outcomes) == ("lost", [], [])
    assert await attempts.execution(claimed, nothing, leased_until_s=time.monotonic() + 60).process() == "completed"


async def test_a_payload_of_a_newer_release_waits_for_its_worker(attempts: Attempts) -> None:
    payload = Coloured(word="w", colour="blue")
    accepted = await attempts.enqueuer.enqueue(probe_coloured, payload, owner="acme")
    delays = []
    for _ in range(8):
        claimed = await attempts.claim()
        assert await attempts.execution(claimed, nothing).process() == State.RETRYING
        waiting = await attempts.store.present(accepted.job_id)
        delays.append(attempts.outcomes[-1].delay_ms)
        assert waiting.attempt == 0 and await attempts.store.attempts(accepted.job_id) == []
        assert "newer release" in waiting.message and "colour" in waiting.message
        await attempts.store.redis.zadd(QUEUE, {accepted.job_id: 1.79e12 - 1e12})
    assert attempts.begun == []
    assert delays == sorted(delays) and delays[0] < delays[3] and delays[-1] == NEWER_MAX_S * 1000


async def test_a_new_field_that_has_its_default_keeps_no_older_worker_from_the_job(attempts: Attempts) -> None:
    accepted = await attempts.enqueuer.enqueue(probe_coloured, Coloured(word="w"), owner="acme")
    assert await attempts.store.redis.hget(keys.job(accepted.job_id), "payload") == b'{"word":"w"}'
    shown = (await attempts.store.present(accepted.job_id)).payload
    assert shown == {"word": "w", "colour": "red", "sizes": []}, "those who read it see all of it"
    assert await attempts.execution(await attempts.claim(), nothing).process() == "completed"


async def test_a_payload_that_no_release_can_read_fails_at_once(attempts: Attempts) -> None:
    accepted = await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(word="w"), owner="acme")
    claimed = await attempts.claim()
    claimed.payload = {"word": 7}
    assert await attempts.execution(claimed, nothing).process() == "failed"
    failed = await attempts.store.present(accepted.job_id)
    assert failed.permanent and "the payload does not fit probe-echo" in str(failed.error)


async def test_a_result_without_bound_fails_once_with_its_size(attempts: Attempts) -> None:
    async def returns(length: int) -> Job:
        async def large(payload: Any, run: Any) -> str:
            await run.then(probe.probe_echo, probe.Echo(word="follows"))
            return "ä" * length

        accepted = await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
        await attempts.execution(await attempts.claim(), large).process()
        return await attempts.store.present(accepted.job_id)

    fits = RESULT_BYTES_MAX // 2 - 1
    failed = await returns(fits + 1)
    assert (failed.state, failed.permanent, failed.attempt, failed.result) == ("failed", True, 1, None)
    assert failed.error == (
        "The result has 4,194,306 bytes; at most 4,194,304 are kept: write it to a file with run.artefact and return what "
        "sums it up."
    )
    assert (await attempts.store.counts())[QUEUE][State.QUEUED] == 0, "nothing follows a job that has failed"
    whole = await returns(fits)
    assert (whole.state, whole.result) == ("completed", "ä" * fits)


@pytest.mark.parametrize(
    ("error", "state"), [(LeaseLost("j"), "lost"), (ValueError("x"), "retrying"), (OSError("x"), "retrying")]
)
async def test_an_error_in_a_group_counts_as_itself(attempts: Attempts, error: Exception, state: str) -> None:
    async def grouped(payload: Any, run: Any) -> None:
        async def fail() -> None:
            raise error

        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    claimed = await attempts.claim()
    claimed.retries = 3
    assert await attempts.execution(claimed, grouped).process() == state


@pytest.mark.parametrize(
    ("reason", "kind", "state"),
    [
        (StopReason.CANCELLED, OutcomeKind.CANCELLED, "cancelled"),
        (StopReason.SHUTDOWN, OutcomeKind.HANDBACK, "queued"),
        (StopReason.LOST, None, "lost"),
    ],
)
async def test_a_stopped_attempt_ends_for_its_reason(
    attempts: Attempts, reason: StopReason, kind: OutcomeKind | None, state: str
) -> None:
    running = asyncio.Event()

    async def long(payload: Any, run: Any) -> None:
        running.set()
        await asyncio.Event().wait()

    await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    execution = attempts.execution(await attempts.claim(), long)
    process = asyncio.create_task(execution.process())
    await running.wait()
    execution.stop(reason)
    assert await process == state
    assert [outcome.kind for outcome in attempts.outcomes] == ([kind] if kind else [])


async def test_another_number_of_parts_on_a_later_attempt_is_named(attempts: Attempts) -> None:
    numbers = [3, 4]

    async def parts(payload: Any, run: Any) -> None:
        count = numbers.pop(0)
        pieces = [probe.Piece(number=n, bad=False, part_s=0) for n in range(count)]
        await run.parts(probe.probe_piece, pieces, probe.PIECES, [1] * count)

    accepted = await attempts.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    await attempts.execution(await attempts.claim(), parts).process()
    known = msgspec.msgpack.encode(["probe-piece"])
    for part in (await attempts.store.claimed(Claim(QUEUE, "w", 3, 60_000, known))).jobs:
        await attempts.store.settled([Outcome(part.id, QUEUE, part.fence, OutcomeKind.COMPLETED, units=1)])
    assert await attempts.execution(await attempts.claim(), parts).process() == "failed"
    failed = await attempts.store.present(accepted.job_id)
    assert failed.permanent and "made 3 parts and this one asks for 4" in str(failed.error)


async def test_what_is_declared_to_follow_begins_with_the_completion(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot say what is to follow does not fail the job that completes, nor keep the others from following."""

    def broken(finished: Finished) -> None:
        raise ValueError(finished.job_id)

    echo = probe.probe_echo
    for name, follow in {
        "probe-follows": lambda done: probe.Echo(word=f"{done.job_id} {done.payload.word} {done.result['word']}"),
        "probe-not": lambda done: None,
        "probe-broken": broken,
    }.items():
        monkeypatch.setitem(REGISTRY, name, replace(echo, name=name, after="probe-echo", follow=follow))
    accepted = await attempts.enqueuer.enqueue(echo, probe.Echo(word="hello"), owner="acme")

    async def task(payload: Any, run: Any) -> Any:
        return {"word": payload.word.upper()}

    await attempts.execution(await attempts.claim(), task).process()
    (outcome,) = attempts.outcomes
    assert outcome.kind == OutcomeKind.COMPLETED
    (following,) = outcome.next
    assert (following.type, following.owner) == ("probe-follows", "acme")
    assert json.loads(following.fields[1]) == {"word": f"{accepted.job_id} hello HELLO"}
