"""Encryption of what stands in the queue server: unique words are planted in all that a client or a task sends, and searched for in
the server's append-only file."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.job_requests import JobRequest, Step
from service.engine.outcomes import OutcomeKind
from service.engine.payload_files import INLINE_BYTES_MAX, PayloadFiles
from service.engine.redis.client import Client
from service.engine.schedules import Schedules
from service.engine.schedules.owned import OwnedSchedule, OwnedSchedules
from service.engine.sealing import MARK_BYTES, SEALED_START, SEALING
from service.engine.states import State
from service.engine.store import Job, JobFilter, Store, WrongState, keys
from service.engine.store.bulk_operations import Selection
from service.engine.store.conditions import ErrorText
from service.engine.store.encryption_keys import forget_keys, see_keys
from service.engine.store.job_search import jobs_naming
from service.engine.store.list_conditions import LogText
from service.engine.store.records import LogLine
from service.engine.store.rewrapping import Rewrapping
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.store.worker_verbs import checkpoint_value
from service.engine.terms import Debounce, Replace, Terms, Throttle
from service.engine.worker.external_jobs import import_jobs
from service.lib.encryption import Unreadable
from service.lib.storage.object_storage import Storage
from service.supervisor.valkey import EmbeddedValkey
from service.webhooks import keys as webhook_keys
from service.webhooks.dispatcher import read_end
from settings import Queue, load_settings
from settings.encryption import encoded
from settings.schedules import Schedule
from tasks.sdk import Meter, Payload, Permanent, job
from tests.engine import probe
from tests.engine.conftest import Ledger, WorkerProcess
from tests.engine.worker.test_execution import Attempts
from tests.erasure.search import in_files, in_redis
from tests.waiting import until_state, wait_until_async

QUEUE = "thumbnails"
OLD, NEW = {"old": os.urandom(32)}, {"new": os.urandom(32)}


class Named(Payload):
    name: str
    group: str = ""


@job(queue=Queue.THUMBNAILS, public=False, name="probe-named", search_keys=("name",), limit={"group": 1})
async def probe_named(payload: Named, run: Any) -> None:
    """Found by its name, and bound by its group."""


ECHO = msgspec.msgpack.encode(["probe-echo"])
KNOWN = msgspec.msgpack.encode(["probe-echo", "probe-named", "probe-coloured"])


@pytest.fixture(autouse=True)
def sealing() -> Iterator[None]:
    """With a key; without one for what comes after."""
    SEALING.use(OLD)
    yield
    SEALING.use({})


@pytest.fixture
def enqueuer(store: Store) -> Enqueuer:
    settings = load_settings()
    return Enqueuer(store, settings.queues, payloads=PayloadFiles(Storage(settings.storage_url)))


async def ask(enqueuer: Enqueuer, name: str, group: str = "", **more: Any) -> str:
    return (await enqueuer.enqueue(probe_named, Named(name=name, group=group), owner="acme", **more)).job_id


async def echo(enqueuer: Enqueuer, word: str, **terms: Any) -> str:
    payload = probe.Echo(word=word)
    return (await enqueuer.enqueue(probe.probe_echo, payload, owner="acme", terms=Terms(**terms))).job_id


async def claim(store: Store, count: int = 10, known: bytes = KNOWN) -> list[Job]:
    return (await store.claimed(Claim(QUEUE, "w", count, 60_000, known))).jobs


class Words:
    """Unique words that are planted."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def __call__(self) -> str:
        self.all.append(f"quokka{len(self.all):02d}x{os.urandom(6).hex()}")
        return self.all[-1]


async def plant_requests(store: Store, enqueuer: Enqueuer, word: Words) -> str:
    """Requests of every kind, and a schedule. Returns their callback URL."""
    url = f"https://example.com/{word()}"
    terms = [
        Terms(unique_key=word()),
        Terms(debounce=Debounce(key=word(), delay_s=60)),
        Terms(replace=Replace(key=word())),
        Terms(throttle=Throttle(key=word(), every_s=60)),
    ]
    for one in terms:
        await ask(enqueuer, word(), word(), terms=one, idempotency_key=word())
    step = Step("a-step", JobRequest(probe.probe_echo, probe.Echo(word=word())), ())
    more: dict[str, Any] = {"key": word(), "fingerprint": word(), "callback_url": url}
    await enqueuer.enqueue_workflow([step], workflow_id="flow", owner="acme", goes_on=False, **more)
    for _ in range(4):
        await echo(enqueuer, word(), callback_url=url)
    made: dict[str, Any] = {"job": "probe-named", "payload": {"name": word()}, "created_ms": 1, "every_s": 60}
    owned = OwnedSchedule(schedule_id="s", owner="acme", name=word(), **made)
    schedules = OwnedSchedules(store.redis)
    await schedules.add(owned)
    assert await schedules.of("acme") == [owned]
    return url


async def run_tasks(store: Store, enqueuer: Enqueuer, word: Words) -> list[Job]:
    """Attempts that end in every way."""

    async def completes(payload: Any, run: Any) -> Any:
        await run.stage(10, word(), text=word(), texts=[word()], nested={"a": word()}, number=7)
        await run.flush()
        assert await run.once(word())
        await store.logged(run.job_id, [msgspec.json.encode(LogLine(1, "info", 1, word(), {"f": word()}))])
        await run.then(probe.probe_echo, probe.Echo(word=word()))
        return {"text": word()}

    async def breaks(payload: Any, run: Any) -> None:
        raise ValueError(word())

    async def refuses(payload: Any, run: Any) -> None:
        raise Permanent(word())

    async def waits(payload: Any, run: Any) -> None:
        await run.wait_for("approved", 60, question=word())

    async def parts(payload: Any, run: Any) -> None:
        await run.parts(probe.probe_echo, [probe.Echo(word=word())], Meter("{done} of {total}", "done", "total"), [1])

    attempts, ran = Attempts(store, enqueuer), []
    for task in (completes, breaks, refuses, waits, parts):
        (claimed,) = await claim(store, 1, ECHO)
        await attempts.execution(claimed, task).process()
        ran.append(await store.present(claimed.id))
    assert [one.state for one in ran] == ["completed", "retrying", "failed", "active", "active"]
    return ran


async def test_no_word_of_a_client_stands_in_the_log(
    store: Store, enqueuer: Enqueuer, valkey_server: EmbeddedValkey
) -> None:
    redis, word = store.redis, Words()
    await redis.hset(webhook_keys.OWNERS, "acme", "completed failed workflow.ended")
    url = await plant_requests(store, enqueuer, word)
    done, retrying, failed, waiting, _ = await run_tasks(store, enqueuer, word)
    body = msgspec.json.encode({"text": word()})
    for _ in range(2):
        await store.event_came(waiting.id, "approved", body, "key ci")
    with pytest.raises(WrongState, match="has had another event"):
        await store.event_came(waiting.id, "approved", b'"other"', "key ci")

    assert in_files(valkey_server.folder, b"quokka") == [] == await in_redis(redis, b"quokka")
    assert len(word.all) > 30 and in_files(valkey_server.folder, b"a-step"), "what stays clear is found there"
    # And it all comes back.
    assert "quokka" in done.payload["word"] and "quokka" in done.result["text"] and done.data["number"] == 7
    assert [line.event[:6] for line in await store.log(done.id)] == ["quokka"]
    (attempt,) = await store.attempts(retrying.id)
    assert all("quokka" in (text or "") for text in (attempt.error, attempt.traceback, retrying.error))
    (group,) = await store.error_groups.list()
    assert (group.error, group.sample) == (failed.error, failed.id)
    ends = [read_end(raw) for raw in await redis.lrange(webhook_keys.ENDED, 0, -1)]
    assert {end.callback_url for end in ends if end} == {None, url} and len(ends) == 3
    assert waiting.question.startswith("quokka") and failed.callback_url == url
    # Searched for by texts of errors and logs.
    for wanted, one in (
        (JobFilter(conditions=(ErrorText(False, (failed.error or "",)),)), failed),
        (JobFilter(lists=(LogText(False, ("QUOKKA",)),)), done),
    ):
        assert [job.id for job in (await store.page(wanted)).jobs] == [one.id]
    storage = Storage(load_settings().storage_url)
    assert await jobs_naming(redis, [attempt.error.split()[-1]], [], PayloadFiles(storage).load) == [retrying.id]  # type: ignore[union-attr]  # seen above


async def test_a_plain_arq_clients_entry_gives_way_to_ours(store: Store, enqueuer: Enqueuer) -> None:
    entry = msgspec.msgpack.encode({"f": "probe_echo", "a": [], "k": {"word": "arq"}})
    await store.redis.set(keys.arq_job("foreign"), entry)
    await store.redis.zadd(QUEUE, {"foreign": 1})
    await import_jobs(store, enqueuer, QUEUE, ["foreign"])
    assert (await store.present("foreign")).payload == {"word": "arq"}
    assert await in_redis(store.redis, b"word") == []


async def test_a_run_of_a_schedule_is_encrypted(store: Store, enqueuer: Enqueuer) -> None:
    schedules = Schedules(store, enqueuer, [Schedule("named", "0 8 * * *", "probe-named", {"name": "zaphod"})])
    job_id = await schedules.run_now("named", by="eva")
    assert (await store.present(job_id)).payload["name"] == "zaphod"
    assert await in_redis(store.redis, b"zaphod") == []
    (claimed,) = await claim(store)
    await store.settled([Outcome(job_id, QUEUE, claimed.fence, OutcomeKind.FAILED, fields=["error", "zaphod"])])
    run = (await schedules.get("named")).runs[0]
    assert (run.outcome, run.reason) == ("failed", "the job's page says why")


async def test_an_unknown_key_is_named_and_ends_the_job(store: Store, enqueuer: Enqueuer) -> None:
    job_id = await ask(enqueuer, "secret")
    for keyset, words in (
        (NEW, "is encrypted with the key 'old', which is not in OFFLOAD_ENCRYPTION_KEYS"),
        ({}, "no OFFLOAD_ENC"),
    ):
        SEALING.use(keyset)
        job = await store.present(job_id)
        assert job.payload == {} and words in job.unreadable and job.message == job.unreadable, (
            "the lists and pages show it"
        )
        assert (await store.list()).jobs == [job]
    with pytest.raises(Unreadable, match="The payload of probe-named-"):
        await jobs_naming(store.redis, ["secret"], [], lambda _: None)  # type: ignore[arg-type, return-value]  # never called
    (claimed,) = await claim(store)
    attempts = Attempts(store, enqueuer)
    assert await attempts.execution(claimed, probe_named.function).process() == State.FAILED
    failed = await store.present(job_id)
    assert failed.permanent and failed.error and "encrypted with the key 'old'" in failed.error and attempts.begun == []


async def test_records_of_before_and_of_other_keys_are_read_and_found(store: Store, enqueuer: Enqueuer) -> None:
    ids = []
    for keyset in ({}, OLD, NEW | OLD):
        SEALING.use(keyset)
        ids.append(await ask(enqueuer, "ann", terms=Terms()))
    assert [job.id for job in (await store.page(JobFilter(search=("name", "ann")))).jobs] == ids[::-1]
    assert [job.payload["name"] for job in await store.get_many(ids) if job] == ["ann"] * 3
    assert [job.id for job in (await store.newest_by("name", ["ann"], 2))["ann"]] == ids[:0:-1]
    (group,) = [await store.page(JobFilter(any_of=(("name", "ann"), ("name", "bob")), type="probe-named"))]
    assert len(group.jobs) == 3
    operation = await store.operations.begin("cancel", Selection(search=("name", "ann")), words="w", by="ann")
    assert operation.total == 3
    for one in await claim(store):
        await store.settled([Outcome(one.id, QUEUE, one.fence, OutcomeKind.COMPLETED)])
    assert await store.purged(ids) == 3
    assert not await store.redis.keys("offload:find:*")


async def test_a_key_of_a_limit_holds_under_its_digest(store: Store, enqueuer: Enqueuer) -> None:
    ids = [await ask(enqueuer, "a", "red"), await ask(enqueuer, "b", "red"), await ask(enqueuer, "c", "blue")]
    assert {job.id for job in await claim(store)} == {ids[0], ids[2]}
    assert "mac-" in (await store.present(ids[1])).blocked_by


@pytest.mark.parametrize(
    "terms", [{"unique_key": "k"}, {"replace": Replace(key="k")}, {"debounce": Debounce(key="k", delay_s=60)}]
)
async def test_requests_of_one_key_are_known_under_its_digest(
    store: Store, enqueuer: Enqueuer, terms: dict[str, Any]
) -> None:
    large = "x" * INLINE_BYTES_MAX
    first = await ask(enqueuer, "first", terms=Terms(**terms))
    assert await ask(enqueuer, large, terms=Terms(**terms)) == first
    job = await store.present(first)
    assert job.payload_file is not None or "unique_key" in terms
    assert await ask(enqueuer, "same", idempotency_key="i") == await ask(enqueuer, "same", idempotency_key="i")


async def test_what_was_done_once_is_known_under_every_key(store: Store, enqueuer: Enqueuer) -> None:
    answers: list[bool] = []

    async def once(payload: Any, run: Any) -> None:
        answers.append(await run.once("mail"))
        raise ValueError

    SEALING.use({})
    job_id = await echo(enqueuer, "a")
    attempts = Attempts(store, enqueuer)
    for keyset in ({}, OLD, NEW | OLD):
        SEALING.use(keyset)
        (claimed,) = await claim(store)
        await attempts.execution(claimed, once).process()
        await store.redis.zadd(QUEUE, {job_id: 1})
        await store.redis.hset(keys.job(job_id), "state", "queued")
    assert answers == [True, False, False]


def test_a_value_is_bound_to_its_job_and_field() -> None:
    sealed = SEALING.seal("text", "job-1", "error")
    assert SEALING.open(sealed, "job-1", "error") == "text" and "text" not in sealed
    for job_id, field in (("job-2", "error"), ("job-1", "message")):
        with pytest.raises(Unreadable):
            SEALING.open(sealed, job_id, field)
    # A part's message is copied into its job's record by a script.
    assert SEALING.open(SEALING.seal("text", "job-1.7", "message"), "job-1", "message") == "text"


def test_bytes_of_any_kind_are_a_checkpoint() -> None:
    """`run.once` keeps eight random ones: some begin with the mark of a sealed text."""
    for value in (MARK_BYTES + b"abcdefg", MARK_BYTES + b"wU9H123", MARK_BYTES + b"\xff", MARK_BYTES, b""):
        assert checkpoint_value("job-1", value) == ("", value)
    sealed = SEALING.seal('["once:a", "AAAA"]', "job-1", "checkpoint").encode()
    assert sealed.startswith(SEALED_START) and checkpoint_value("job-1", sealed)[0] == "once:a"


async def test_a_process_without_the_keys_does_not_start(client: Client) -> None:
    await see_keys(client, OLD)
    await see_keys(client, NEW | OLD)
    for keyset, words in (({}, "'new' and 'old'"), (OLD, "'new'")):
        with pytest.raises(SystemExit, match=f"encrypted with {words}, which OFFLOAD_ENCRYPTION_KEYS does not have"):
            await see_keys(client, keyset)
    await forget_keys(client, OLD)
    with pytest.raises(SystemExit, match="'old'"):
        await see_keys(client, {})
    await see_keys(client, OLD)


async def test_all_is_written_under_the_first_key_beside_running_jobs(store: Store, enqueuer: Enqueuer) -> None:
    word, redis = Words(), store.redis
    load = PayloadFiles(Storage(load_settings().storage_url)).load
    SEALING.use({})
    plain = await ask(enqueuer, "ann")
    SEALING.use(OLD)
    large = await ask(enqueuer, "x" * INLINE_BYTES_MAX, terms=Terms(replace=Replace(key="k")))
    await plant_requests(store, enqueuer, word)
    before = await run_tasks(store, enqueuer, word)
    before[3] = await store.event_came(before[3].id, "approved", b'"yes"', "key ci")
    SEALING.use(NEW | OLD)
    first = await Rewrapping(redis, load).run()
    assert first.rewrapped > 20 and first.encrypted >= 2 and first.unreadable == []
    again = await Rewrapping(redis, load).run()
    assert (again.rewrapped, again.encrypted) == (0, 0) and again.current > first.rewrapped
    # The old key is needed no more.
    SEALING.use(NEW)
    assert [await store.present(one.id) for one in before] == before
    assert [job.id for job in (await store.page(JobFilter(search=("name", "ann")))).jobs] == [plain]
    assert [job.id for job in (await store.page(JobFilter(search=("name", "x" * INLINE_BYTES_MAX)))).jobs] == [large]
    assert all("quokka" in line.event for line in await store.log(before[0].id)) and await store.log(before[0].id)
    assert [a.error for a in await store.attempts(before[1].id)] == [before[1].error]
    assert (await store.error_groups.list())[0].error == before[2].error
    assert [one.owner for one in await OwnedSchedules(redis).of("acme")] == ["acme"]
    event = await redis.hget(keys.events(before[3].id), "event:approved")
    assert event and SEALING.open(event, before[3].id, "event:approved") == '"yes"'
    done = before[0]
    ((name, _),) = [checkpoint_value(done.id, v) for v in (await redis.hgetall(keys.checkpoint(done.id))).values()]
    assert await redis.hkeys(keys.checkpoint(done.id)) == [SEALING.digest(name, f"checkpoint {done.id}").encode()]


async def test_a_value_that_changes_while_it_is_written_again_stays(store: Store, enqueuer: Enqueuer) -> None:
    job_id = await ask(enqueuer, "first", terms=Terms(replace=Replace(key="k")))
    SEALING.use(NEW | OLD)

    async def replaced(job: Job) -> None:
        # Between the reading of the record and its writing.
        await store.redis.hset(keys.job(job_id), "message", "another")

    await Rewrapping(store.redis, replaced).run()
    assert (await store.present(job_id)).message == "another"


async def test_what_cannot_be_read_is_named_and_left(store: Store, enqueuer: Enqueuer) -> None:
    job_id = await ask(enqueuer, "ann")
    before = await store.redis.hgetall(keys.job(job_id))
    SEALING.use(NEW)
    done = await Rewrapping(store.redis, PayloadFiles(Storage(load_settings().storage_url)).load).run()
    assert len(done.unreadable) == 1 and "the key 'old'" in done.unreadable[0]
    assert await store.redis.hgetall(keys.job(job_id)) == before


async def test_a_worker_without_the_key_ends_and_one_with_it_works(
    store: Store, enqueuer: Enqueuer, start_worker: Callable[..., WorkerProcess], ledger: Ledger
) -> None:
    await see_keys(store.redis, OLD)
    job_id = await echo(enqueuer, "secret")
    without = start_worker()
    await wait_until_async(lambda: without.process.poll() is not None)
    assert "encrypted with 'old', which OFFLOAD_ENCRYPTION_KEYS does not have" in without.log.read_text()
    start_worker(OFFLOAD_ENCRYPTION_KEYS=f"old:{encoded(OLD['old'])}")
    await until_state(store, job_id, State.COMPLETED)
    assert (await store.present(job_id)).result == {"word": "secret"}
    assert [row[1] for row in ledger.lines("echo")] == ["secret"]
    assert await in_redis(store.redis, b"secret") == []
