"""Breakers of external services, over the shipped scripts: a service at which job after job fails pauses, and is tried again."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from service.engine import service_keys as keys
from service.engine.enqueuer import Enqueuer
from service.engine.external_services import ServiceGate
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import Client
from service.engine.service_breakers import use_ended
from service.engine.states import State
from service.engine.store import Job, Store
from service.engine.store.breakers import BREAKER, BreakerBounds, BreakerState, events, read_breaker
from service.engine.store.script_inputs import Claim, Outcome
from service.lib.clock import now_ms
from settings.queues import QUEUE_TABLE
from settings.services import ServiceLimits
from tasks.sdk.errors import ChildDied, Permanent, RetryLater, ServicePaused, Unreachable
from tests.engine import probe
from tests.engine.conftest import WorkerProcess
from tests.engine.limited import KNOWN
from tests.engine.store.test_limit_keys import touch
from tests.waiting import until_state, wait_until_async

AFTER, WAIT_MS = 3, 60_000
DOWN = "no answer from 10.0.0.7:8080"


@pytest.fixture
def gate(client: Client) -> ServiceGate:
    return ServiceGate(client, {}, QUEUE_TABLE, BreakerBounds(AFTER, WAIT_MS))


async def use(gate: ServiceGate, job: str, error: BaseException | None = None, **more: Any) -> BaseException | None:
    """One use that ends with `error`. Returns what left the block."""
    try:
        async with gate.use("crm", job, **more):
            if error:
                raise error
    except BaseException as raised:
        return raised
    return None


async def state_of(gate: ServiceGate) -> BreakerState | None:
    return read_breaker(await gate.redis.hget(keys.service_state("crm"), "breaker"))


async def opened(gate: ServiceGate) -> None:
    for n in range(AFTER):
        await use(gate, f"job-{n}", ConnectionError(DOWN))
    assert await state_of(gate)


async def pause_over(gate: ServiceGate) -> None:
    state, raw = await state_of(gate), await gate.redis.hget(keys.service_state("crm"), "breaker")
    assert state and raw
    await gate.redis.hset(keys.service_state("crm"), "breaker", raw.replace(str(state.until_ms).encode(), b"1"))


async def test_jobs_in_a_row_with_one_error_pause_the_service(gate: ServiceGate) -> None:
    first = ConnectionError(DOWN)
    assert await use(gate, "job-0", first) is first, "what fails before spends its tries as ever"
    await use(gate, "job-1", ConnectionError("no answer from 10.0.0.8:9090"))
    third = await use(gate, "job-2", ConnectionError(DOWN))
    assert isinstance(third, ServicePaused) and isinstance(third.__cause__, ConnectionError)
    assert third.delay_s >= WAIT_MS / 1000 - 1
    assert str(third) == (
        "Waits for the service crm, which is paused. 3 jobs in a row failed with one error, and no try is spent on it; "
        f"then one job is tried alone: ConnectionError: {DOWN}."
    )
    assert isinstance(await use(gate, "another"), ServicePaused), "no further use begins"
    (crm, _) = await gate.list()
    assert crm.pause and (crm.pause.by, crm.under_way, crm.waiting) == (BREAKER, 0, 2)
    (event,) = await events(gate.redis, 10)
    assert (event.service, event.queue, event.what, event.jobs) == ("crm", "", "opened", 3)


@pytest.mark.parametrize("between", ["completed", "another error", "one job"])
async def test_only_jobs_in_a_row_with_one_error_count(gate: ServiceGate, between: str) -> None:
    await use(gate, "job-0", ConnectionError(DOWN))
    await use(gate, "job-1", ConnectionError(DOWN))
    if between == "completed":
        await use(gate, "job-2")
    elif between == "another error":
        await use(gate, "job-2", ValueError("not JSON"))
    else:
        # Parts of one job, or its further attempts, are one job.
        await use(gate, "job-1", ConnectionError(DOWN))
        await use(gate, "job-1.4", ConnectionError(DOWN), root="job-1")
        assert await state_of(gate) is None
        return
    await use(gate, "job-3", ConnectionError(DOWN))
    assert await state_of(gate) is None


@pytest.mark.parametrize(
    ("error", "over", "outcome"),
    [
        (None, False, "completed"),
        (OSError("no route"), False, "failed"),
        (TimeoutError(), False, "failed"),
        (ExceptionGroup("", [OSError("no route")]), False, "failed"),
        (asyncio.CancelledError(), True, "failed"),
        (asyncio.CancelledError(), False, ""),
        (Permanent("bad input"), False, ""),
        (RetryLater(1, "slow down"), False, ""),
        (ChildDied("killed"), False, ""),
        (Unreachable("database", "connection lost"), False, ""),
    ],
)
def test_only_errors_of_the_service_count(error: BaseException | None, over: bool, outcome: str) -> None:
    assert use_ended(error, lambda: over).outcome == outcome


async def test_a_service_that_hangs_pauses_too(gate: ServiceGate) -> None:
    for n in range(AFTER):
        raised: BaseException | None = None
        limit = asyncio.timeout(None)
        try:
            async with limit, gate.use("crm", f"job-{n}", timed_out=limit.expired):
                # The limit is over once the gate is passed: on a busy machine any limit may be over before that.
                limit.reschedule(0.0)
                await asyncio.Event().wait()
        except (TimeoutError, ServicePaused) as error:
            raised = error
    state = await state_of(gate)
    assert isinstance(raised, ServicePaused) and state and "time limit" in state.error


async def test_then_one_is_tried_alone_and_its_success_opens_it_again(gate: ServiceGate) -> None:
    await opened(gate)
    await pause_over(gate)
    async with gate.use("crm", "canary"):
        refused = await use(gate, "another")
        assert isinstance(refused, ServicePaused) and "canary is tried alone" in str(refused)
        (crm, _) = await gate.list()
        assert crm.pause and crm.pause.until_ms is None
    assert await state_of(gate) is None and await use(gate, "another") is None
    assert [(event.what, event.service) for event in await events(gate.redis, 9)] == [
        ("opened", "crm"),
        ("closed", "crm"),
    ]


async def test_a_canary_that_fails_with_any_error_spends_no_try_and_waits_for_longer(gate: ServiceGate) -> None:
    await opened(gate)
    for times, error in ((2, ConnectionError(DOWN)), (4, ValueError("502"))):
        await pause_over(gate)
        assert isinstance(await use(gate, "canary", error), ServicePaused)
        state = await state_of(gate)
        assert state and (state.wait_ms, state.canary) == (times * WAIT_MS, "") and str(error) in state.error
    assert isinstance(await use(gate, "another"), ServicePaused)


@pytest.mark.parametrize("how", ["crash", "bad input", "cancel"])
async def test_a_canary_that_proves_nothing_is_followed_by_another(gate: ServiceGate, how: str) -> None:
    await opened(gate)
    await pause_over(gate)
    if how == "crash":
        canary = gate.use("crm", "canary")
        await canary.__aenter__()
        await gate.redis.delete(keys.service("crm"))
        assert await state_of(gate)
        assert await use(gate, "next") is None
        await canary.__aexit__(None, None, None)
    else:
        await use(gate, "canary", Permanent("blank") if how == "bad input" else asyncio.CancelledError())
        assert await state_of(gate)
        assert await use(gate, "next") is None
    assert await state_of(gate) is None


async def test_what_runs_as_it_opens_spends_no_try(gate: ServiceGate) -> None:
    late = gate.use("crm", "late")
    await late.__aenter__()
    other = gate.use("crm", "other")
    await other.__aenter__()
    await opened(gate)
    error = ConnectionError(DOWN)
    with pytest.raises(ServicePaused):
        await late.__aexit__(ConnectionError, error, None)
    assert not await other.__aexit__(ValueError, ValueError("its own"), None)


async def test_the_bounds_hold_for_the_canary_and_a_use_that_keeps_its_own_rate_is_not_paused(client: Client) -> None:
    one = ServiceGate(client, {"crm": ServiceLimits(at_once=1)}, QUEUE_TABLE, BreakerBounds(AFTER, WAIT_MS))
    await opened(one)
    assert await use(one, "mail", rated=False) is None
    await pause_over(one)
    assert await use(one, "canary") is None and await state_of(one) is None


async def test_it_is_off_where_a_setting_says_so(client: Client) -> None:
    one = ServiceGate(client, {}, QUEUE_TABLE)
    for n in range(9):
        assert isinstance(await use(one, f"job-{n}", ConnectionError(DOWN)), ConnectionError)


async def put_back(store: Store, gate: ServiceGate, job: Job) -> None:
    raised = await use(gate, job.id)
    assert isinstance(raised, ServicePaused)
    outcome = Outcome(
        job.id,
        job.queue,
        job.fence,
        OutcomeKind.LATER,
        fields=["message", str(raised)],
        delay_ms=round(raised.delay_s * 1000),
    )
    assert await store.settled([outcome]) == ["retrying"]


async def test_an_operator_pauses_it_and_as_it_opens_its_jobs_come_back(store: Store, gate: ServiceGate) -> None:
    await gate.redis.sadd(keys.SERVICES, "crm")
    with pytest.raises(ValueError, match="reason"):
        await gate.pauses.pause("crm", reason=" ", by="ann")
    await gate.pauses.pause("crm", reason="they move house", by="ann")
    await store.queued([touch(str(n), f"o{n}") for n in range(3)])
    jobs = (await store.claimed(Claim("thumbnails", "w", 3, 60_000, KNOWN))).jobs
    for job in jobs:
        await put_back(store, gate, job)
    first = await store.present(jobs[0].id)
    assert first.due_ms and first.due_ms > now_ms() + 50_000 and first.attempt == 0
    assert first.message == "Waits for the service crm, which is paused. ann paused it: they move house."
    assert await gate.pauses.waited_for_by(first.id) == "crm" and await gate.pauses.waited_for_by("none") == ""
    await gate.pauses.resume("crm")

    async def back() -> bool:
        return len((await store.claimed(Claim("thumbnails", "w", 3, 60_000, KNOWN))).jobs) > 0

    await wait_until_async(back)
    assert await gate.redis.zcard(keys.service_parked("crm")) == 0 and await use(gate, "another") is None


async def test_a_peer_that_is_away_pauses_for_all_job_types_until_it_is_back(
    store: Store, enqueuer: Enqueuer, gate: ServiceGate, start_worker: Callable[..., WorkerProcess]
) -> None:
    """Jobs without a second try, under a real worker: two are lost to learn that all would be."""
    # Bound and not listening: it refuses connections, and no other program can take the port.
    peer = socket.socket()
    peer.bind(("127.0.0.1", 0))
    port, ids = peer.getsockname()[1], []
    for job_type in (probe.probe_ask_peer, probe.probe_tell_peer):
        ids += await enqueuer.enqueue_many(job_type, [probe.Peer(port=port)] * 4, owner="acme")
    start_worker(OFFLOAD_BREAKER_JOBS="3", OFFLOAD_BREAKER_WAIT_S="1")

    async def tried_again() -> bool:
        state = read_breaker(await store.redis.hget(keys.service_state("peer"), "breaker"))
        return state is not None and state.wait_ms > 1_000

    await wait_until_async(tried_again)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"here\n")
        writer.close()

    async with await asyncio.start_server(answer, sock=peer):
        states = [(await until_state(store, job_id)).state for job_id in ids]
    assert sorted(states) == [State.COMPLETED] * 6 + [State.FAILED] * 2
    assert await store.controls.holds("thumbnails") == {}, "the queue's own breaker stays closed"
