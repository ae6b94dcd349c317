"""Jobs that come after others: over a real server, with what workers do."""

from collections.abc import Sequence

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.job_requests import JobRequest, Step
from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store import IdempotencyConflict, Job, Store, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.store.workflows import ended_workflow, state_of
from service.engine.terms import Terms
from settings import load_settings
from tests.engine import probe
from tests.engine.test_terms import KNOWN, QUEUE, in_s

DIAMOND = [("scan", ()), ("read", ("scan",)), ("draw", ("scan",)), ("send", ("read", "draw"))]


class Flow:
    """A workflow of jobs that do nothing, and a worker of its queue."""

    def __init__(self, store: Store) -> None:
        self.store, self.enqueuer = store, Enqueuer(store, load_settings().queues)
        self.ids: dict[str, str] = {}
        self.callback_url = ""

    async def announced(self) -> list[tuple[int, str]]:
        """Number and state of each end of the workflow that a webhook is to be told of."""
        rows = await self.store.redis.lrange("offload:webhooks:ended", 0, -1)
        ends = [ended_workflow(row) for row in rows if msgspec.msgpack.decode(row)[0] == "workflow"]
        return [(end.number, str(end.state)) for end in ends]

    async def start(
        self, graph: Sequence[tuple[str, Sequence[str]]] = DIAMOND, goes_on: bool = False, print: str = "p", **terms
    ) -> None:
        steps = [
            Step(name, JobRequest(probe.probe_echo, probe.Echo(word=name), terms=Terms(**terms.get(name, {}))), after)
            for name, after in graph
        ]
        self.ids = dict(
            await self.enqueuer.enqueue_workflow(
                steps,
                workflow_id="flow",
                owner="acme",
                goes_on=goes_on,
                key="k",
                fingerprint=print,
                callback_url=self.callback_url,
            )
        )

    async def job(self, name: str) -> Job:
        return await self.store.present(self.ids[name])

    async def claim(self) -> dict[str, Job]:
        """The jobs that a worker may begin now, by name."""
        jobs = (await self.store.claimed(Claim(QUEUE, "w", 10, 60_000, KNOWN))).jobs
        return {job.payload["word"]: job for job in jobs}

    async def end(self, job: Job, kind: OutcomeKind = OutcomeKind.COMPLETED) -> None:
        assert await self.store.settled([Outcome(job.id, job.queue, job.fence, kind, fields=["error", "no"])]) != [
            "lost"
        ]

    async def state(self) -> State:
        return state_of(await self.store.get_many(list(self.ids.values())))


@pytest.fixture
def flow(store: Store) -> Flow:
    return Flow(store)


async def test_a_job_begins_once_all_before_it_have_completed(flow: Flow) -> None:
    await flow.start()
    assert [(await flow.job(name)).state for name in flow.ids] == ["queued", "scheduled", "scheduled", "scheduled"]
    assert (await flow.job("send")).message == "Waits for read and draw"
    scan = await flow.claim()
    assert list(scan) == ["scan"]
    await flow.end(scan["scan"])
    second = await flow.claim()
    assert set(second) == {"read", "draw"}
    await flow.end(second["draw"])
    assert await flow.claim() == {} and await flow.state() == State.ACTIVE
    await flow.end(second["read"])
    last = await flow.claim()
    assert list(last) == ["send"]
    await flow.end(last["send"])
    assert await flow.state() == State.COMPLETED
    assert (await flow.store.backlog_ms())[QUEUE] == 0


async def test_what_waits_for_others_is_no_work_that_workers_are_behind_with(flow: Flow) -> None:
    await flow.start()
    assert (await flow.store.backlog_ms())[QUEUE] == (await flow.job("scan")).estimated_ms
    assert await flow.store.redis.zcard(QUEUE) == 1


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.CANCELLED])
async def test_a_failure_keeps_those_after_it_waiting_until_a_retry_completes(flow: Flow, kind: OutcomeKind) -> None:
    await flow.start()
    await flow.end((await flow.claim())["scan"], kind)
    assert await flow.claim() == {}
    assert (await flow.job("read")).state == State.SCHEDULED
    assert await flow.state() == State(str(kind))
    await flow.store.retry(flow.ids["scan"])
    assert await flow.state() == State.ACTIVE
    await flow.end((await flow.claim())["scan"])
    assert set(await flow.claim()) == {"read", "draw"}


async def test_where_it_goes_on_those_after_a_failure_begin_once(flow: Flow) -> None:
    await flow.start([("scan", ()), ("other", ()), ("send", ("scan", "other"))], goes_on=True)
    first = await flow.claim()
    await flow.end(first["scan"], OutcomeKind.FAILED)
    await flow.store.retry(flow.ids["scan"])
    await flow.end((await flow.claim())["scan"])
    # Its end counts once: the other one is still running.
    assert await flow.claim() == {}
    await flow.end(first["other"], OutcomeKind.FAILED)
    assert list(await flow.claim()) == ["send"]


async def test_a_cancelled_follower_that_is_queued_again_still_waits(flow: Flow) -> None:
    await flow.start()
    await flow.store.cancel(flow.ids["send"])
    assert (await flow.store.retry(flow.ids["send"])).state == State.SCHEDULED
    await flow.end((await flow.claim())["scan"])
    for job in (await flow.claim()).values():
        await flow.end(job)
    assert list(await flow.claim()) == ["send"]


async def test_one_that_was_cancelled_does_not_come_back_by_itself(flow: Flow) -> None:
    await flow.start([("scan", ()), ("send", ("scan",))])
    await flow.store.cancel(flow.ids["send"])
    await flow.end((await flow.claim())["scan"])
    assert await flow.claim() == {} and await flow.state() == State.CANCELLED
    # Its turn has come in the meantime: queued again it begins.
    await flow.store.retry(flow.ids["send"])
    assert list(await flow.claim()) == ["send"]


async def test_a_follower_waits_for_its_own_time_too_and_expires_by_its_last_moment(flow: Flow) -> None:
    chain = [("scan", ()), ("send", ("scan",)), ("tell", ("scan",))]
    await flow.start(chain, send={"schedule_at": in_s(3600)}, tell={"not_after": in_s(60)})
    await flow.store.redis.zadd(keys.EXPIRING, {flow.ids["tell"]: 1})
    await flow.store.expired(10)
    assert (await flow.job("tell")).state == State.EXPIRED
    await flow.end((await flow.claim())["scan"])
    send = await flow.job("send")
    assert await flow.claim() == {} and send.state == State.SCHEDULED
    assert await flow.store.redis.zscore(QUEUE, send.id) == send.due_ms


async def test_the_same_workflow_twice_is_one_and_another_under_its_id_is_refused(flow: Flow) -> None:
    await flow.start()
    first = flow.ids
    await flow.start()
    assert flow.ids == first and len(await flow.claim()) == 1
    with pytest.raises(IdempotencyConflict):
        await flow.start(print="other")


async def test_removing_a_failed_job_cancels_what_waits_for_it_and_the_last_takes_the_workflow(flow: Flow) -> None:
    await flow.start()
    await flow.end((await flow.claim())["scan"], OutcomeKind.FAILED)
    await flow.store.purged([flow.ids["scan"]])
    assert [(await flow.job(name)).state for name in ("read", "draw", "send")] == [State.CANCELLED] * 3
    assert (await flow.job("send")).message == "Cancelled: a job before it was deleted"
    assert await flow.store.workflow("flow") is not None
    await flow.store.purged([flow.ids[name] for name in ("read", "draw", "send")])
    assert await flow.store.redis.keys(keys.workflow("*")) == []


async def test_a_crash_of_its_worker_releases_nothing(flow: Flow) -> None:
    await flow.start([("scan", ()), ("send", ("scan",))])
    scan = (await flow.store.claimed(Claim(QUEUE, "w", 1, 1, KNOWN))).jobs[0]
    await flow.store.redis.zadd(QUEUE, {scan.id: scan.created_ms})
    again = (
        await flow.store.claimed(Claim(QUEUE, "w", 5, 60_000, msgspec.msgpack.encode(["probe-echo"]), reap=True))
    ).jobs
    assert [job.payload["word"] for job in again] == ["scan"]
    await flow.end(again[0])
    assert await flow.store.settled([Outcome(scan.id, scan.queue, scan.fence, OutcomeKind.COMPLETED)]) == ["lost"]
    assert list(await flow.claim()) == ["send"]


async def test_the_end_of_a_workflow_is_told_once_with_each_job_s_state(flow: Flow) -> None:
    flow.callback_url = "https://example.org/hook"
    await flow.start()
    await flow.end((await flow.claim())["scan"])
    second = await flow.claim()
    # In one call: the first of them does not end it.
    ends = [Outcome(job.id, job.queue, job.fence, OutcomeKind.COMPLETED) for job in second.values()]
    await flow.store.settled(ends)
    assert await flow.announced() == []
    await flow.end((await flow.claim())["send"])
    assert await flow.announced() == [(1, "completed")]
    (row,) = await flow.store.redis.lrange("offload:webhooks:ended", 0, -1)
    end = ended_workflow(row)
    assert (end.id, end.owner, end.callback_url) == ("flow", "acme", "https://example.org/hook")
    assert end.jobs == {name: (job_id, State.COMPLETED) for name, job_id in flow.ids.items()}


async def test_a_retry_begins_it_again_and_its_next_end_is_told_too(flow: Flow) -> None:
    await flow.store.redis.hset("offload:webhooks:owners", "acme", "failed workflow.ended")
    await flow.start()
    await flow.end((await flow.claim())["scan"], OutcomeKind.FAILED)
    assert await flow.announced() == [(1, "failed")], "those after it wait for a retry"
    await flow.store.cancel(flow.ids["send"])
    assert await flow.announced() == [(1, "failed")], "it had ended before"
    await flow.store.retry(flow.ids["scan"])
    await flow.end((await flow.claim())["scan"])
    for job in (await flow.claim()).values():
        await flow.end(job)
    assert await flow.announced() == [(1, "failed"), (2, "cancelled")]


async def test_where_it_goes_on_it_ends_with_the_last(flow: Flow) -> None:
    flow.callback_url = "https://example.org/hook"
    await flow.start([("scan", ()), ("send", ("scan",))], goes_on=True)
    await flow.end((await flow.claim())["scan"], OutcomeKind.FAILED)
    assert await flow.announced() == []
    await flow.end((await flow.claim())["send"])
    assert await flow.announced() == [(1, "failed")]


async def test_nothing_is_kept_for_those_who_want_no_message(flow: Flow) -> None:
    await flow.start([("scan", ())])
    await flow.end((await flow.claim())["scan"])
    assert await flow.store.redis.exists("offload:webhooks:ended") == 0


async def test_one_that_is_queued_again_waits_for_no_job_that_is_gone(flow: Flow) -> None:
    await flow.start()
    first = (await flow.claim())["scan"]
    await flow.end(first, OutcomeKind.FAILED)
    await flow.store.purged([flow.ids["scan"]])
    for name in ("send", "read", "draw"):
        await flow.store.retry(flow.ids[name])
    begun = await flow.claim()
    assert set(begun) == {"read", "draw"}, "the last one waits for these"
    for job in begun.values():
        await flow.end(job)
    assert set(await flow.claim()) == {"send"}
