"""Results of queries: exactly those that the records themselves give, within a bound that is stated."""

import itertools

import msgspec
import pytest

from service.engine.job_query import job_filter, parse
from service.engine.states import State
from service.engine.store import Job, LogLine, Store, keys, list_conditions, listing
from service.engine.store.bulk_operations import Selection
from service.engine.store.job_filter import JobFilter
from service.lib.clock import now_ms
from tests.engine import probe

NOW = 1_793_491_200_000
TYPES = (probe.probe_echo, probe.probe_trouble)


@pytest.fixture
async def jobs(store: Store, enqueuer) -> list[Job]:
    """Jobs of two owners, types and states, with errors, times and logs, newest first."""
    ids = []
    for n, (owner, job_type, cancelled) in enumerate(itertools.product(("acme", "globex"), TYPES, (False, True))):
        payload = probe.Echo() if job_type is probe.probe_echo else probe.Trouble(kind="permanent")
        for _ in range(2):
            job_id = (await enqueuer.enqueue(job_type, payload, owner=owner)).job_id
            if cancelled:
                await store.cancel(job_id)
            fields = {
                "error": f"The Disk is full: {n}",
                "attempt": n,
                "started_ms": NOW,
                "finished_ms": NOW + n * 1_000,
            }
            await store.redis.hset(keys.job(job_id), mapping=fields)
            line = LogLine(at_ms=1, level="info", attempt=1, event="read", fields={"page": f"Größe {n}"})
            await store.redis.rpush(keys.log(job_id), msgspec.json.encode(line))
            ids.append(job_id)
    return [job for job in await store.get_many(ids[::-1]) if job]


QUERIES = {
    "state:queued,cancelled": lambda job: True,
    "-state:queued": lambda job: job.state is State.CANCELLED,
    "state:queued state:cancelled": lambda job: False,
    "owner:acme,globex task:probe-echo": lambda job: job.type == "probe-echo",
    "-owner:acme queue:thumbnails,media": lambda job: job.owner == "globex",
    "-queue:thumbnails": lambda job: False,
    'error:"disk IS full"': lambda job: True,
    "error:5,6 owner:globex": lambda job: job.attempt in (5, 6),
    "-error:disk": lambda job: False,
    "attempt:>3": lambda job: job.attempt > 3,
    "-attempt:1..2": lambda job: job.attempt not in (1, 2),
    "took:>2s state:cancelled": lambda job: job.state is State.CANCELLED and job.attempt > 2,
    "finished:2026-11-01": lambda job: True,
    "finished:<2026-11-01": lambda job: False,
    "created:>1d": lambda job: True,
    "created:<1d": lambda job: False,
    "priority:high": lambda job: False,
    'log:"GRÖSSE 3","größe 4"': lambda job: job.attempt in (3, 4),
    "-log:größe": lambda job: False,
    "fingerprint:f": lambda job: False,
    "-file_id:file-1 tag:x": lambda job: False,
    "-file_id:file-1 state:queued": lambda job: job.state is State.QUEUED,
    "worker:w": lambda job: False,
}  # fmt: skip


def wanted(text: str, at_ms: int | None = None, **options) -> JobFilter:
    found = parse(text)
    assert not found.problems and not found.words, found
    return job_filter(found.terms, at_ms or now_ms(), **options)


async def pages(store: Store, filter_: JobFilter, limit: int) -> list[str]:
    found, cursor = [], None
    while True:
        page = await store.page(filter_, limit, cursor)
        found += [job.id for job in page.jobs]
        if (cursor := page.next_cursor) is None:
            return found


@pytest.mark.parametrize("limit", [3, 50])
async def test_a_query_finds_what_the_records_say(
    store: Store, jobs, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "EXAMINED_MAX", 5)
    monkeypatch.setattr(list_conditions, "JOBS_AT_ONCE", 2)
    for text, fits in QUERIES.items():
        assert await pages(store, wanted(text), limit) == [job.id for job in jobs if fits(job)], text


async def test_a_bulk_operation_acts_on_what_the_query_shows(store: Store, jobs) -> None:
    for text, fits in QUERIES.items():
        operation = await store.operations.begin("cancel", Selection.of(wanted(text)), words=text, by="ann")
        frozen = await store.operations.next_ids(operation.id, 1_000)
        # Only what waits can be cancelled.
        assert sorted(frozen) == sorted(job.id for job in jobs if fits(job) and job.state is State.QUEUED), text


async def test_an_owner_is_a_bound_that_no_term_lifts(store: Store, jobs) -> None:
    for text in ("owner:globex", "owner:acme,globex -owner:acme", "-owner:acme"):
        assert await pages(store, wanted(text, owner="acme"), 50) == [], text


async def test_a_page_says_how_much_it_has_looked_at(store: Store, jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "EXAMINED_MAX", 5)
    page = await store.page(wanted("error:nothing"), 2)
    assert page.jobs == [] and page.partial is not None
    assert page.partial.candidates == len(jobs) > page.partial.examined >= 5
    older = await store.page(wanted("error:nothing"), 2, page.next_cursor)
    assert older.partial and older.partial.candidates == len(jobs) - page.partial.examined
    assert (await store.page(wanted("state:queued"), 3)).partial is None


async def test_logs_are_read_within_a_bound_and_none_is_passed_over(
    store: Store, jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "JOBS_AT_ONCE", 2)
    monkeypatch.setattr(listing, "JOBS_MAX", 3)
    page = await store.page(wanted("log:größe"), 50)
    assert [job.id for job in page.jobs] == [job.id for job in jobs[:4]] and page.next_cursor
    assert await pages(store, wanted("log:größe"), 50) == [job.id for job in jobs]


async def test_a_worker_is_found_by_its_ended_attempts_and_by_the_running_one(store: Store, jobs) -> None:
    ended, running, other = jobs[:3]
    await store.redis.rpush(
        keys.attempts(ended.id), '{"number":1,"worker":"w1","started_ms":1,"finished_ms":2,"outcome":"failed"}'
    )
    await store.redis.hset(keys.job(running.id), "worker", "w1")
    await store.redis.hset(keys.job(other.id), "worker", "w2")
    assert await pages(store, wanted("worker:w1"), 50) == [ended.id, running.id]
    assert await pages(store, wanted("-worker:w1 worker:w2"), 50) == [other.id]
