"""Payloads that are too large for a record, over a real server and a real folder."""

from typing import Any

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.job_requests import JobRequest, Step
from service.engine.payload_files import INLINE_BYTES_MAX, SHOWN_BYTES_MAX, PayloadFiles, PayloadLost
from service.engine.states import State
from service.engine.store import IdempotencyConflict, Job, Store, keys
from service.engine.store.script_inputs import Claim, NewJob, Outcome
from service.engine.terms import Debounce, Replace, Terms
from service.engine.worker.execution import OF_A_NEWER_RELEASE
from service.engine.worker.external_jobs import import_jobs
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tasks.sdk import Meter, Permanent
from tests.engine import probe
from tests.engine.worker.test_execution import Attempts

QUEUE = "thumbnails"
LARGE = "ä" * (INLINE_BYTES_MAX // 2)
"""Of fewer characters than its payload may have bytes."""


@pytest.fixture
def storage(settings_env: dict[str, str]) -> Storage:
    return Storage(load_settings().storage_url)


@pytest.fixture
def payloads(storage: Storage) -> PayloadFiles:
    return PayloadFiles(storage)


@pytest.fixture
def enqueuer(store: Store, payloads: PayloadFiles) -> Enqueuer:
    return Enqueuer(store, load_settings().queues, payloads=payloads)


def echo(word: str = LARGE) -> probe.Echo:
    return probe.Echo(word=word)


async def ask(enqueuer: Enqueuer, word: str = LARGE, key: str | None = None, **terms: Any) -> str:
    accepted = await enqueuer.enqueue(
        probe.probe_echo,
        echo(word),
        owner="acme",
        terms=Terms(**terms),
        idempotency_key=key,
    )
    return accepted.job_id


async def word_of(store: Store, payloads: PayloadFiles, job_id: str) -> str:
    job = await store.present(job_id)
    await payloads.load(job)
    return str(job.payload["word"])


async def claim(store: Store) -> Job:
    known = msgspec.msgpack.encode(["probe-echo", "probe-coloured"])
    (job,) = (await store.claimed(Claim(QUEUE, "w", 1, 60_000, known))).jobs
    return job


async def test_a_payload_of_the_bound_stays_in_the_record(store: Store, enqueuer: Enqueuer, storage: Storage) -> None:
    fits = "x" * (INLINE_BYTES_MAX - len('{"word":""}'))
    job_id = await ask(enqueuer, fits)
    assert (await store.present(job_id)).payload["word"] == fits and await storage.list("jobs") == []
    over = await ask(enqueuer, fits + "x")
    assert len(await storage.list(f"jobs/{over}/payloads")) == 1


async def test_a_large_payload_is_a_file_that_the_record_names(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage
) -> None:
    job_id = await ask(enqueuer)
    record = await store.redis.hget(keys.job(job_id), "payload")
    assert LARGE.encode() not in record and len(record) < 300
    job = await store.present(job_id)
    assert job.payload == {} and job.payload_file is not None
    (path,) = await storage.list("jobs")
    assert path == f"jobs/{job_id}/{job.payload_file.path}" and await storage.size(path) == job.payload_file.bytes
    assert await word_of(store, payloads, job_id) == LARGE
    # As a release reads it that knows nothing of such files: it leaves the job to a newer worker.
    with pytest.raises(msgspec.ValidationError) as unknown:
        msgspec.convert(msgspec.json.decode(record), probe.Piece)
    assert OF_A_NEWER_RELEASE.search(str(unknown.value))


async def test_what_is_not_queued_leaves_no_file(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage
) -> None:
    first = await ask(enqueuer, key="k")
    assert await ask(enqueuer, key="k") == first
    with pytest.raises(IdempotencyConflict):
        await ask(enqueuer, LARGE + "other", key="k")
    unique = await ask(enqueuer, unique_key="u")
    assert await ask(enqueuer, LARGE + "other", unique_key="u") == unique
    both = [JobRequest(probe.probe_echo, echo(), idempotency_key="k"), JobRequest(probe.probe_echo, echo(LARGE + "2"))]
    both[0] = JobRequest(probe.probe_echo, echo(LARGE + "conflict"), idempotency_key="k")
    await enqueuer.enqueue_together(both, owner="acme", all_or_nothing=True)
    assert {path.split("/")[1] for path in await storage.list("jobs")} == {first, unique}
    assert [await word_of(store, payloads, job_id) for job_id in (first, unique)] == [LARGE, LARGE]


async def test_a_workflow_that_is_there_already_leaves_no_file(enqueuer: Enqueuer, storage: Storage) -> None:
    steps = [
        Step(name, JobRequest(probe.probe_echo, echo(LARGE + name)), after) for name, after in (("a", ()), ("b", "a"))
    ]
    for _ in range(2):
        ids = await enqueuer.enqueue_workflow(
            steps, workflow_id="w", owner="acme", goes_on=False, key="k", fingerprint="f"
        )
    assert {path.split("/")[1] for path in await storage.list("jobs")} == set(ids.values())


@pytest.mark.parametrize("kind", ["debounce", "replace"])
async def test_the_payload_of_a_later_request_lies_with_the_job_that_takes_it(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage, kind: str
) -> None:
    terms = {"debounce": Debounce(key="k", delay_s=60)} if kind == "debounce" else {"replace": Replace(key="k")}
    job_id = await ask(enqueuer, "small", **terms)
    for word in (LARGE + "1", LARGE + "2", "small again", LARGE + "3"):
        assert await ask(enqueuer, word, **terms) == job_id
        assert await word_of(store, payloads, job_id) == word
    assert {path.split("/")[1] for path in await storage.list("jobs")} == {job_id}


async def test_a_key_whose_job_changes_while_the_file_is_stored(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    merging_into = Store.merging_into

    async def first_then_another(self: Store, request: NewJob) -> str:
        seen.append(await merging_into(self, request))
        if len(seen) == 1:
            # Between this question and the script the job begins, and another request brings the key a new one.
            await claim(store)
            seen.append(await ask(enqueuer, "next", replace=Replace(key="k")))
        return seen[0]

    begun = await ask(enqueuer, "first", replace=Replace(key="k"))
    monkeypatch.setattr(Store, "merging_into", first_then_another)
    taken = await ask(enqueuer, replace=Replace(key="k"))
    assert taken == seen[1] != begun
    assert await word_of(store, payloads, taken) == LARGE
    assert {path.split("/")[1] for path in await storage.list("jobs")} == {taken}


async def test_a_missing_and_a_damaged_file_are_named(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage
) -> None:
    job_id = await ask(enqueuer)
    (path,) = await storage.list("jobs")
    whole = await storage.get(path)
    for damaged in (whole[:-1], whole.replace(b"word", b"work")):
        await storage.put(path, damaged)
        with pytest.raises(
            PayloadLost, match=f"^the payload of {job_id} in the storage is not the one that was stored"
        ):
            await word_of(store, payloads, job_id)
    await storage.delete(path)
    with pytest.raises(
        PayloadLost, match=f"^the payload of {job_id} .* is missing in the storage: submit the job again$"
    ):
        await word_of(store, payloads, job_id)
    assert issubclass(PayloadLost, Permanent)


async def test_nothing_is_queued_where_the_file_cannot_be_stored(
    store: Store, enqueuer: Enqueuer, storage: Storage
) -> None:
    assert storage.root is not None
    (storage.root / "jobs").write_text("in the way")
    with pytest.raises(Exception, match=r"."):
        await ask(enqueuer)
    assert (await store.list()).jobs == []
    await ask(enqueuer, "small")


async def test_an_attempt_gets_the_payload_and_fails_for_good_without(
    store: Store, enqueuer: Enqueuer, storage: Storage
) -> None:
    attempts, words = Attempts(store, enqueuer), []

    async def task(payload: probe.Echo, run: Any) -> None:
        words.append(payload.word)

    await ask(enqueuer)
    assert await attempts.execution(await claim(store), task).process() == State.COMPLETED
    assert words == [LARGE]
    lost = await ask(enqueuer)
    await storage.delete_prefix(f"jobs/{lost}/")
    assert await attempts.execution(await claim(store), task).process() == State.FAILED
    job = await store.present(lost)
    assert job.permanent and job.tries_used == 1 and "is missing in the storage" in (job.error or "")
    assert words == [LARGE]


async def test_the_next_link_of_a_chain_has_its_file_once_it_is_queued(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage
) -> None:
    attempts, following = Attempts(store, enqueuer), []

    async def task(payload: probe.Echo, run: Any) -> None:
        following.append(await run.then(probe.probe_echo, echo()))
        assert await storage.list("jobs") == [], "this attempt may take days, or fail"

    await ask(enqueuer, "small")
    assert await attempts.execution(await claim(store), task).process() == State.COMPLETED
    assert await word_of(store, payloads, following[0]) == LARGE


async def test_parts_with_large_payloads(store: Store, enqueuer: Enqueuer, storage: Storage) -> None:
    attempts, results = Attempts(store, enqueuer), []
    meter = Meter("Part {done} of {total}", "done", "total")

    async def whole(payload: probe.Echo, run: Any) -> None:
        words = [LARGE + "1", "2"]
        results.extend(await run.parts(probe.probe_echo, [echo(w) for w in words], meter, [1, 1]))

    async def part(payload: probe.Echo, run: Any) -> str:
        return payload.word[-1]

    job_id = await ask(enqueuer, "small")
    assert await attempts.execution(await claim(store), whole).process() == State.ACTIVE
    assert [path.split("/")[1] for path in await storage.list("jobs")] == [job_id], "a part's file lies with its job's"
    for _ in range(2):
        assert await attempts.execution(await claim(store), part).process() == State.COMPLETED
    before = await storage.list("jobs")
    assert await attempts.execution(await claim(store), whole).process() == State.COMPLETED
    assert [(one.result, one.payload.word[-1]) for one in results] == [("1", "1"), ("2", "2")]
    assert await storage.list("jobs") == before, "collected, not stored again"


async def test_many_at_once(store: Store, enqueuer: Enqueuer, payloads: PayloadFiles) -> None:
    words = [f"{LARGE}{n}" for n in range(3)] + ["small"]
    ids = await enqueuer.enqueue_many(probe.probe_echo, [echo(word) for word in words], owner="acme")
    assert [await word_of(store, payloads, job_id) for job_id in ids] == words


async def test_a_plain_arq_clients_entry_gives_way_to_one_without_the_payload(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles
) -> None:
    entry = msgspec.msgpack.encode({"t": None, "f": "probe_echo", "a": [], "k": {"word": LARGE}, "et": 1})
    await store.redis.set(keys.arq_job("foreign-1"), entry)
    await store.redis.zadd(QUEUE, {"foreign-1": 1})
    await import_jobs(store, enqueuer, QUEUE, ["foreign-1"])
    assert await word_of(store, payloads, "foreign-1") == LARGE
    assert len(await store.redis.get(keys.arq_job("foreign-1"))) < 200


async def test_payloads_above_a_mebibyte_are_not_shown(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles
) -> None:
    shown = await store.present(await ask(enqueuer))
    assert await payloads.show(shown) is None and shown.payload == {"word": LARGE}
    job = await store.present(await ask(enqueuer, "x" * SHOWN_BYTES_MAX))
    assert await payloads.show(job) == "The payload has 1,048,587 bytes: more than the 1,048,576 that are shown."
    assert job.payload == {} and job.payload_file


async def test_files_go_with_their_job(
    store: Store, enqueuer: Enqueuer, payloads: PayloadFiles, storage: Storage
) -> None:
    job_id = await ask(enqueuer)
    job = await claim(store)
    await store.settled([Outcome(job.id, QUEUE, job.fence, "failed", fields=["error", "e"])])
    files = JobFiles(store, storage)
    await files.delete(job_id)
    await store.restore(job_id)
    await store.retry(job_id)
    assert await word_of(store, payloads, job_id) == LARGE
    job = await claim(store)
    await store.settled([Outcome(job.id, QUEUE, job.fence, "completed")])
    await files.purge([job_id])
    assert await storage.list("jobs") == []
