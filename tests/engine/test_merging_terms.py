"""Requests that are a waiting job: `throttle`, `replace` and `rerun`, over a real server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine.enqueuer import Accepted, Enqueuer
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Job, Store, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.terms import Debounce, Replace, Rerun, Terms, Throttle
from service.lib.clock import now_ms
from settings import load_settings
from tests.engine import limited, probe
from tests.engine.limited import KNOWN
from tests.engine.store.test_limit_keys import see_that_it_is_consistent, touch

QUEUE = "thumbnails"
NOW = datetime.now(UTC)


async def ask(enqueuer: Enqueuer, word: str, owner: str = "acme", **terms: Any) -> Accepted:
    return await enqueuer.enqueue(probe.probe_echo, probe.Echo(word=word), owner=owner, terms=Terms(**terms))


async def claim(store: Store, count: int = 10) -> list[Job]:
    return (await store.claimed(Claim(QUEUE, "w", count, 60_000, KNOWN))).jobs


def words(jobs: list[Job]) -> list[str]:
    return [job.payload.get("word", "") for job in jobs]


async def end(store: Store, job: Job, kind: OutcomeKind = OutcomeKind.COMPLETED) -> None:
    await store.settled([Outcome(job.id, QUEUE, job.fence, kind)])


async def test_a_later_request_replaces_what_waits(store: Store, enqueuer: Enqueuer) -> None:
    first = await ask(enqueuer, "one", replace=Replace(key="doc"))
    await ask(enqueuer, "other")
    later = await ask(enqueuer, "two", replace=Replace(key="doc"), deadline=NOW + timedelta(hours=1))
    assert later.job_id == first.job_id
    job = await store.present(first.job_id)
    assert (job.payload["word"], job.replaced, job.deadline_ms is not None) == ("two", 1, True)
    assert words(await claim(store)) == ["two", "other"], "it keeps its place"
    assert (await ask(enqueuer, "three", replace=Replace(key="doc"))).job_id != first.job_id, "the first has begun"
    assert (await ask(enqueuer, "four", owner="globex", replace=Replace(key="doc"))).job_id != first.job_id


async def test_once_more_if_asked_while_it_runs(store: Store, enqueuer: Enqueuer) -> None:
    rerun = Rerun(key="doc")
    first = await ask(enqueuer, "one", rerun=rerun)
    (job,) = await claim(store)
    again = [await ask(enqueuer, word, rerun=rerun) for word in ("two", "three", "four")]
    assert len({one.job_id for one in again}) == 1 and again[0].job_id != first.job_id
    assert await claim(store) == []
    waiting = await store.present(again[0].job_id)
    assert waiting.message == "Waits for the probe-echo job of rerun acme/doc before it: one runs at a time"
    await end(store, job)
    assert words(await claim(store)) == ["four"]


async def test_a_rerun_after_a_crash_is_still_one_at_a_time(store: Store, enqueuer: Enqueuer) -> None:
    await ask(enqueuer, "one", rerun=Rerun(key="doc"))
    (job,) = await claim(store)
    await ask(enqueuer, "two", rerun=Rerun(key="doc"))
    await end(store, job, OutcomeKind.HANDBACK)
    running = await claim(store)
    assert len(running) == 1
    await end(store, running[0])
    assert sorted(words(running) + words(await claim(store))) == ["one", "two"]


async def test_a_throttled_job_begins_once_in_its_time(store: Store, enqueuer: Enqueuer) -> None:
    throttle = Throttle(key="doc", every_s=60)
    first = await ask(enqueuer, "one", throttle=throttle)
    assert first.status == "queued"
    merged = await ask(enqueuer, "two", throttle=throttle)
    assert merged.job_id == first.job_id, "it has not begun yet"
    (job,) = await claim(store)
    assert words([job]) == ["two"]
    second = await ask(enqueuer, "three", throttle=throttle)
    third = await ask(enqueuer, "four", throttle=throttle)
    assert (second.status, second.job_id) == ("scheduled", third.job_id)
    due_ms = (await store.present(second.job_id)).due_ms or 0
    assert due_ms >= (job.started_ms or 0) + 60_000
    # Its time comes: it begins, and the next is 60 s later again.
    await store.redis.hset(keys.job(second.job_id), "due_ms", 1)
    await store.redis.zadd(QUEUE, {second.job_id: now_ms() - 1_000})
    (job,) = await claim(store)
    assert words([job]) == ["four"]
    last = await store.present((await ask(enqueuer, "five", throttle=throttle)).job_id)
    assert (last.due_ms or 0) >= max(due_ms, job.started_ms or 0) + 60_000


async def test_a_replaced_job_has_the_keys_of_its_new_payload(store: Store, enqueuer: Enqueuer) -> None:
    async def touch(file_id: str, **terms: Any) -> Accepted:
        payload = limited.Touch(file_id=file_id)
        return await enqueuer.enqueue(limited.limited_touch, payload, owner="acme", terms=Terms(**terms))

    await touch("f")
    (job,) = await claim(store)
    waiting = await touch("f", replace=Replace(key="k"))
    assert (await store.present(waiting.job_id)).blocked_by
    await touch("g", replace=Replace(key="k"))
    await see_that_it_is_consistent(store)
    assert [one.id for one in await claim(store)] == [waiting.job_id]
    other = await touch("h", replace=Replace(key="k"))
    await touch("f", replace=Replace(key="k"))
    await see_that_it_is_consistent(store)
    assert (await store.present(other.job_id)).blocked_by and await claim(store) == []
    await end(store, job)
    assert [one.id for one in await claim(store)] == [other.job_id]


async def test_what_was_found_by_the_old_payload_is_found_by_the_new_one(store: Store, enqueuer: Enqueuer) -> None:
    """A request's Idempotency-Key stands for the job that it became part of."""
    first = await ask(enqueuer, "one", replace=Replace(key="doc"))
    payload, terms = probe.Echo(word="two"), Terms(replace=Replace(key="doc"))
    for _ in range(2):
        again = await enqueuer.enqueue(probe.probe_echo, payload, owner="acme", terms=terms, idempotency_key="k")
        assert again.job_id == first.job_id
    assert (await store.present(first.job_id)).replaced == 1, "a request that is sent again changes nothing"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(replace=Replace(key="k"), rerun=Rerun(key="k")), "rerun"),
        (Terms(unique_key="k", throttle=Throttle(key="k", every_s=1)), "throttle"),
        (Terms(debounce=Debounce(key="k", delay_s=1), replace=Replace(key="k")), "replace"),
        (Terms(schedule_at=NOW + timedelta(hours=1), throttle=Throttle(key="k", every_s=1)), "throttle"),
        (Terms(schedule_at=NOW + timedelta(hours=1), rerun=Rerun(key="k")), "rerun"),
        (Terms(rerun=Rerun(key="k"), not_after=NOW + timedelta(hours=1), deadline=NOW + timedelta(hours=1)), None),
    ],
)
def test_terms_that_contradict_each_other_are_named(terms: Terms, field: str | None) -> None:
    problem = terms.problem(NOW)
    assert (problem and problem[0]) == field


actions = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["replace", "rerun", "throttle"]), st.sampled_from("fg"), st.booleans()),
        st.tuples(st.sampled_from(["claim", "complete", "hand back", "cancel"]), st.just(""), st.booleans()),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=actions)
async def test_any_order_of_requests_keeps_places_and_counts(
    redis_url: str, settings_env: dict[str, str], script: list[tuple[str, str, bool]]
) -> None:
    """Limits and merging terms together: no more than one of a rerun's key runs, and the last request's payload is done."""
    redis = connect(redis_url)
    try:
        await redis.flushall()
        store = Store(redis)
        enqueuer = Enqueuer(store, load_settings().queues)
        made = {"replace": Replace(key="k"), "rerun": Rerun(key="k"), "throttle": Throttle(key="k", every_s=600)}
        running: list[Job] = []
        last: dict[str, tuple[str, str]] = {}
        for name, file_id, flag in script:
            if name in made:
                payload = limited.Touch(file_id=file_id, size=len(last))
                requested = Terms(**{name: made[name]})
                accepted = await enqueuer.enqueue(
                    limited.limited_touch, payload, owner="acme" if flag else "globex", terms=requested
                )
                last[accepted.job_id] = (name, file_id)
                assert (await store.present(accepted.job_id)).payload.get("file_id") == file_id
            elif name == "claim":
                running += await claim(store, 2)
            elif name == "cancel" and last:
                job = await store.present([*last][0 if flag else -1])
                if job.state.waiting:
                    await store.cancel(job.id)
            elif running:
                job = running.pop(0 if flag else -1)
                await end(store, job, OutcomeKind.COMPLETED if name == "complete" else OutcomeKind.HANDBACK)
            await see_that_it_is_consistent(store)
            reruns = [job.id for job in running if "rerun:acme" in job.limits]
            assert len(reruns) <= 1
        while running := running or await claim(store, 4):
            for job in running:
                await end(store, job)
                done = await store.present(job.id)
                assert done.payload.get("file_id") == last[job.id][1]
            running = []
        left = [await store.present(job_id) for job_id in last]
        assert all(
            job.state.terminal or (job.state is State.SCHEDULED and last[job.id][0] == "throttle") for job in left
        )
    finally:
        await redis.aclose(close_connection_pool=True)


async def test_requests_that_come_together_are_merged_though_their_keys_differ(store: Store) -> None:
    """The first of them stands in no queue yet as the second takes its place."""
    await store.queued([touch("running", file_id="g")])
    await claim(store)
    merge = {"kind": "replace", "key": "k"}
    rows = await store.queued([touch("1", file_id="f", merge=merge), touch("2", file_id="g", merge=merge)])
    assert [row.job_id for row in rows] == ["1", "1"]
    assert (await store.present("1")).blocked_by
    await see_that_it_is_consistent(store)
