"""When a job may begin and should be done, and which requests are the same job: over a real server."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.job_requests import Accepted
from service.engine.maintenance import Maintenance
from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store import Store, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.terms import Debounce, Terms
from service.lib.clock import now_ms
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tests.engine import probe

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo", "probe-piece", "probe-spread"])


NOW = datetime.now(UTC)


def in_s(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


class Requester:
    """Asks for jobs, and does what workers do."""

    def __init__(self, store: Store, enqueuer: Enqueuer) -> None:
        self.store, self.enqueuer = store, enqueuer

    async def ask(
        self, word: str = "", owner: str = "acme", priority: str = "normal", key: str = "", **terms
    ) -> Accepted:
        return await self.enqueuer.enqueue(
            probe.probe_echo,
            probe.Echo(word=word),
            owner=owner,
            priority=priority,
            terms=Terms(**terms),
            idempotency_key=key or None,
        )

    async def state(self, job_id: str) -> State:
        return (await self.store.present(job_id)).state

    async def claim(self, count: int = 10, queue: str = QUEUE) -> list[str]:
        jobs = (await self.store.claimed(Claim(queue, "w", count, 60_000, KNOWN))).jobs
        return [job.payload.get("word", "") for job in jobs]

    async def too_late(self, job_id: str) -> None:
        """The job's last moment to begin is over."""
        await self.store.redis.hset(keys.job(job_id), "not_after_ms", 1)
        await self.store.redis.zadd(keys.EXPIRING, {job_id: 1})


@pytest.fixture
def requester(store: Store, enqueuer: Enqueuer) -> Requester:
    return Requester(store, enqueuer)


@pytest.fixture
def maintenance(store: Store, settings_env: dict[str, str]) -> Maintenance:
    settings = load_settings()
    return Maintenance(settings, store, JobFiles(store, Storage(settings.storage_url)))


async def test_a_job_that_could_not_begin_in_time_expires_at_its_claim(requester: Requester) -> None:
    late = await requester.ask("late", not_after=in_s(60))
    await requester.ask("in time", not_after=in_s(60))
    await requester.too_late(late.job_id)
    assert await requester.claim() == ["in time"]
    job = await requester.store.present(late.job_id)
    assert (job.state, job.error_type) == (State.EXPIRED, "Expired")
    assert job.error == "it could not begin before its not_after" and job.finished_ms
    assert (await requester.store.counts())[QUEUE][State.EXPIRED] == 1
    assert [one.id for one in (await requester.store.list(state="expired")).jobs] == [late.job_id]
    assert await requester.store.redis.zscore(keys.finished(QUEUE), late.job_id) is not None, "retention removes it"


async def test_it_expires_without_any_worker(requester: Requester, maintenance: Maintenance) -> None:
    waiting = await requester.ask(not_after=in_s(60))
    scheduled = await requester.ask(not_after=in_s(120), schedule_at=in_s(60))
    other = await requester.ask()
    for accepted in (waiting, scheduled):
        await requester.too_late(accepted.job_id)
    await maintenance.expire()
    assert [await requester.state(one.job_id) for one in (waiting, scheduled, other)] == [
        "expired",
        "expired",
        "queued",
    ]
    assert (await requester.store.backlog_ms())[QUEUE] == (await requester.store.present(other.job_id)).estimated_ms
    assert await requester.store.redis.zcard(keys.EXPIRING) == 0


async def test_one_that_has_begun_is_left_to_end(requester: Requester, maintenance: Maintenance) -> None:
    accepted = await requester.ask(not_after=in_s(60))
    (job,) = (await requester.store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))).jobs
    await requester.too_late(accepted.job_id)
    await maintenance.expire()
    assert await requester.state(accepted.job_id) is State.ACTIVE
    assert await requester.store.settled([Outcome(job.id, QUEUE, job.fence, OutcomeKind.COMPLETED)]) == ["completed"]


async def test_a_next_try_that_would_come_too_late_is_not_waited_for(requester: Requester) -> None:
    accepted = await requester.ask(not_after=in_s(60))
    (job,) = (await requester.store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))).jobs
    fields = ["error", "ValueError: x", "error_type", "ValueError", "message", "Trying again"]
    retry = Outcome(job.id, QUEUE, job.fence, OutcomeKind.RETRY, fields=fields, delay_ms=3_600_000)
    assert await requester.store.settled([retry]) == ["expired"]
    ended = await requester.store.present(accepted.job_id)
    assert (ended.error, ended.message) == ("ValueError: x", "Expired: it could not begin in time")
    assert await requester.store.redis.zscore(QUEUE, accepted.job_id) is None
    minute = now_ms() // 60_000
    rows = await requester.store.minutes(QUEUE, [minute - 1, minute])
    counted = [sum(row.get(event, 0) for row in rows) for event in ("expired", "retried")]
    assert counted == [1, 0], "it is not tried again"


async def test_an_expired_job_can_be_wanted_all_the_same(requester: Requester, maintenance: Maintenance) -> None:
    accepted = await requester.ask("again", not_after=in_s(60))
    await requester.too_late(accepted.job_id)
    await maintenance.expire()
    await requester.store.retry(accepted.job_id)
    await maintenance.expire()
    assert await requester.claim() == ["again"]


async def test_the_first_deadline_takes_its_owner_s_next_turn(requester: Requester) -> None:
    for word, deadline_s in [("later", 3000), ("none", None), ("soon", 100), ("latest", 9000)]:
        await requester.ask(word, deadline=in_s(deadline_s) if deadline_s else None)
    assert await requester.claim(1) == ["soon"]
    assert await requester.claim(3) == ["later", "latest", "none"]


async def test_a_batch_is_claimed_by_deadline_too(requester: Requester) -> None:
    for word, deadline_s in [("5", 500), ("none", None), ("3", 300), ("1", 100), ("2", 200)]:
        await requester.ask(word, deadline=in_s(deadline_s) if deadline_s else None)
    assert await requester.claim(5) == ["1", "2", "3", "5", "none"]


async def test_a_deadline_takes_nothing_from_another_owner(requester: Requester) -> None:
    for n in range(3):
        await requester.ask(f"acme{n}")
    for n in range(3):
        await requester.ask(f"globex{n}", owner="globex", deadline=in_s(100 - 10 * n))
    first = [(await requester.claim(1))[0] for _ in range(6)]
    assert [word for word in first if word.startswith("acme")] == ["acme0", "acme1", "acme2"]
    assert [word for word in first if word.startswith("globex")] == ["globex2", "globex1", "globex0"]
    assert sum(word.startswith("acme") for word in first[:4]) == 2, "turn by turn"


async def test_a_deadline_that_is_gone_from_its_queue_holds_nobody_up(requester: Requester) -> None:
    await requester.ask("first")
    gone = await requester.ask("gone", deadline=in_s(100))
    await requester.store.cancel(gone.job_id)
    assert await requester.claim() == ["first"]


async def test_a_hopeless_deadline_is_said_at_once(requester: Requester) -> None:
    assert "after its deadline" in str((await requester.ask(deadline=in_s(-1))).warning)
    assert (await requester.ask(deadline=in_s(3600))).warning is None


async def test_a_unique_key_is_one_job(requester: Requester) -> None:
    first = await requester.ask("a", unique_key="report", unique_for_s=3600)
    again = await requester.ask("b", unique_key="report", unique_for_s=3600)
    other = await requester.ask("c", unique_key="report", owner="globex")
    assert again.job_id == first.job_id != other.job_id
    assert sorted(await requester.claim()) == ["a", "c"]
    assert (await requester.ask("d", unique_key="report")).job_id == first.job_id, "it runs"
    await requester.store.redis.delete(keys.unique("acme", "probe-echo", "report"))
    assert (await requester.ask("e", unique_key="report")).job_id != first.job_id, "its time is over"


async def test_without_a_time_it_holds_until_the_job_has_ended(requester: Requester) -> None:
    first = await requester.ask(unique_key="k")
    (job,) = (await requester.store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))).jobs
    assert (await requester.ask(unique_key="k")).job_id == first.job_id
    await requester.store.settled([Outcome(job.id, QUEUE, job.fence, OutcomeKind.COMPLETED)])
    assert (await requester.ask(unique_key="k")).job_id != first.job_id


@pytest.mark.parametrize("delete", [False, True])
async def test_one_that_came_to_nothing_stands_for_no_other(requester: Requester, delete: bool) -> None:
    first = await requester.ask(unique_key="k", unique_for_s=3600)
    await requester.store.cancel(first.job_id)
    if delete:
        await requester.store.delete(first.job_id)
    assert (await requester.ask(unique_key="k", unique_for_s=3600)).job_id != first.job_id


async def test_an_idempotency_key_stays_with_the_job_that_answered(requester: Requester) -> None:
    first = await requester.ask("a", unique_key="k", unique_for_s=3600)
    assert (await requester.ask("b", key="request-2", unique_key="k", unique_for_s=3600)).job_id == first.job_id
    await requester.store.cancel(first.job_id)
    assert (await requester.ask("b", key="request-2", unique_key="k", unique_for_s=3600)).job_id == first.job_id


async def test_debounced_requests_are_one_job_of_the_last_payload(requester: Requester) -> None:
    debounce = Debounce(key="doc-1", delay_s=30, max_delay_s=600)
    first = await requester.ask("one", debounce=debounce)
    due_ms = (await requester.store.present(first.job_id)).due_ms or 0
    await requester.store.redis.hset(keys.job(first.job_id), "due_ms", due_ms - 5000)
    second = await requester.ask("two", debounce=debounce)
    assert (second.job_id, second.status, first.status) == (first.job_id, "scheduled", "scheduled")
    job = await requester.store.present(first.job_id)
    assert (job.payload["word"], job.debounced, job.state) == ("two", 1, State.SCHEDULED)
    assert job.due_ms is not None and job.due_ms >= due_ms
    assert await requester.store.redis.zscore(QUEUE, job.id) == job.due_ms
    # Its cost counts as work that waits from the moment at which it is due.
    assert (await requester.store.backlog_ms())[QUEUE] == 0
    assert await requester.claim() == []


async def test_it_is_not_put_off_for_ever(requester: Requester) -> None:
    debounce = Debounce(key="doc-1", delay_s=30, max_delay_s=60)
    first = await requester.ask("one", debounce=debounce)
    await requester.store.redis.hincrby(keys.job(first.job_id), "created_ms", -59_000)
    await requester.ask("two", debounce=debounce)
    job = await requester.store.present(first.job_id)
    assert job.due_ms == job.created_ms + 60_000
    await requester.store.redis.hincrby(keys.job(first.job_id), "created_ms", -59_000)
    await requester.ask("three", debounce=debounce)
    assert await requester.claim() == ["three"]
    assert (await requester.ask("four", debounce=debounce)).job_id != first.job_id, "the one before has begun"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(not_after=in_s(-600)), "not_after"),
        (Terms(deadline=in_s(-600)), "deadline"),
        (Terms(schedule_at=in_s(600), not_after=in_s(60)), "not_after"),
        (Terms(unique_for_s=5), "unique_for_s"),
        (Terms(schedule_at=in_s(600), debounce=Debounce(key="k", delay_s=1)), "debounce"),
        (Terms(unique_key="k", debounce=Debounce(key="k", delay_s=1)), "debounce"),
        (Terms(debounce=Debounce(key="k", delay_s=9, max_delay_s=1)), "debounce.max_delay_s"),
        (Terms(schedule_at=in_s(60), not_after=in_s(600), deadline=in_s(900), unique_key="k", unique_for_s=9), None),
    ],
)
def test_terms_that_make_no_sense_are_named(terms: Terms, field: str | None) -> None:
    # The terms were made as this file was read, which may be a while ago.
    problem = terms.problem(NOW)
    assert (problem and problem[0]) == field
