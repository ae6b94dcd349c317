"""A real `arq` worker process: jobs run, fail, are retried, cancelled, returned and survive what may happen to them."""

import os
import signal
import time

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import JobFilter, Store, channels, keys
from service.monitoring.metrics import Metrics
from settings import Queue
from tests.engine import probe
from tests.waiting import until_state, wait_until_async


async def state_of(store: Store, job_id: str) -> State:
    return (await store.present(job_id)).state


async def test_a_job_runs_to_its_result(store: Store, enqueuer: Enqueuer, start_worker) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="hello"), owner="acme")
    await until_state(store, accepted.job_id, State.COMPLETED)
    job = await store.present(accepted.job_id)
    assert (job.result, job.progress, job.attempt) == ({"word": "hello"}, 100, 1)
    (attempt,) = await store.attempts(job.id)
    assert attempt.outcome == "completed" and attempt.worker.startswith("thumbnails:")
    assert (await store.counts())["thumbnails"][State.COMPLETED] == 1


async def test_a_result_says_how_its_job_is_found_and_summed_up(store: Store, enqueuer: Enqueuer, start_worker) -> None:
    start_worker()
    marked, plain = [
        (await enqueuer.enqueue(probe.probe_mark, probe.Mark(marks=marks), owner="acme")).job_id for marks in (3, 0)
    ]
    for job_id in (marked, plain):
        await until_state(store, job_id, State.COMPLETED)
    assert (await store.present(marked)).message == "Completed, with 3 marks"
    assert (await store.present(plain)).message == "Done"
    tagged = JobFilter(search=("tag", "marked"))
    assert [job.id for job in (await store.page(tagged)).jobs] == [marked]
    await store.delete(marked)
    assert (await store.page(tagged)).jobs == [] and not await store.redis.zcard(keys.found_by("tag", "marked"))
    figures = (await Metrics(store.redis).window(Queue.THUMBNAILS, 3_600)).total
    assert (figures["page_read"], figures["page_doubtful"]) == (20, 3)


async def test_what_runs_beside_a_task_ends_with_it_even_where_a_cancellation_is_hidden(
    store: Store, enqueuer: Enqueuer, start_worker
) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_concurrent, probe.Concurrent(hides=2), owner="acme")
    await until_state(store, accepted.job_id, State.COMPLETED)
    assert (await store.present(accepted.job_id)).result == 3


async def test_an_error_is_retried_with_backoff_and_then_a_dead_letter(store, enqueuer, start_worker) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_trouble, probe.Trouble(kind="error"), owner="acme")
    await until_state(store, accepted.job_id, State.FAILED)
    job = await store.present(accepted.job_id)
    attempts = await store.attempts(job.id)
    assert [a.number for a in attempts] == [1, 2, 3]
    assert job.error == "ValueError: attempt 3 went wrong"
    assert "raise ValueError" in (attempts[0].traceback or "")
    await store.retry(job.id)
    await until_state(store, job.id, State.FAILED)
    assert len(await store.attempts(job.id)) == 6, "an operator's retry starts a fresh budget of tries"


async def test_an_attempt_that_recovers_completes(store, enqueuer, start_worker) -> None:
    start_worker()
    payload = probe.Trouble(kind="error", until_attempt=2)
    accepted = await enqueuer.enqueue(probe.probe_trouble, payload, owner="acme")
    await until_state(store, accepted.job_id, State.COMPLETED)
    job = await store.present(accepted.job_id)
    assert (job.result, job.attempt, job.error) == ("recovered", 2, None)


async def test_a_permanent_error_dies_at_once(store, enqueuer, start_worker) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_trouble, probe.Trouble(kind="permanent"), owner="acme")
    await until_state(store, accepted.job_id, State.FAILED)
    job = await store.present(accepted.job_id)
    assert (job.attempt, job.error) == (1, "there is nothing to be done about it")


async def test_an_attempt_that_takes_too_long_is_ended(store, enqueuer, start_worker) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_trouble, probe.Trouble(kind="hang", until_attempt=2), owner="acme")
    await until_state(store, accepted.job_id, State.COMPLETED)
    attempts = await store.attempts(accepted.job_id)
    assert [a.outcome for a in attempts] == ["timeout", "completed"]
    assert attempts[0].error == "timed out after 1 s"


async def test_cancelling_a_running_job_stops_it(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=10_000), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("step")) > 2)
    await store.cancel(accepted.job_id)
    await until_state(store, accepted.job_id, State.CANCELLED)
    assert len(ledger.lines("step")) < 10_000


async def test_a_deploy_spends_no_attempt_and_the_job_continues(store, enqueuer, start_worker, ledger) -> None:
    first = start_worker(OFFLOAD_GRACE_S="0")
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=60), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("step")) > 5)
    first.terminate()
    await wait_until_async(lambda: first.process.poll() is not None)
    assert await state_of(store, accepted.job_id) is State.QUEUED
    assert first.process.returncode == 0
    start_worker()
    await until_state(store, accepted.job_id, State.COMPLETED)
    job = await store.present(accepted.job_id)
    assert job.attempt == 1
    assert sorted(int(step) for _, step in ledger.lines("step")) == list(range(60)), "each step once"


@pytest.mark.chaos
async def test_a_worker_killed_gives_its_job_to_another(store, enqueuer, start_worker, ledger) -> None:
    first = start_worker()
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=100), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("step")) > 5)
    first.kill()
    killed = time.monotonic()
    start_worker()
    await wait_until_async(lambda: len(ledger.lines("begin")) == 2)
    taken_up_s = time.monotonic() - killed
    await until_state(store, accepted.job_id, State.COMPLETED)
    assert (await store.present(accepted.job_id)).attempt == 2
    steps = [int(step) for _, step in ledger.lines("step")]
    # The step under way at the kill may be done again; everything kept before it may not.
    assert len(steps) <= 101 and set(steps) == set(range(100))
    print(f"taken up after {taken_up_s:.1f} s")


@pytest.mark.chaos
@pytest.mark.slow
async def test_three_deaths_in_a_row_are_a_dead_letter(store, enqueuer, start_worker, ledger) -> None:
    accepted = await enqueuer.enqueue(probe.probe_trouble, probe.Trouble(kind="die"), owner="acme")
    for death in (1, 2, 3):
        worker = start_worker()
        await wait_until_async(lambda: len(ledger.lines("trouble")) == death)  # noqa: B023  # awaited in the loop
        worker.process.wait(10)
    start_worker()
    await until_state(store, accepted.job_id, State.FAILED)
    job = await store.present(accepted.job_id)
    assert job.error == "the worker died three times while running this job"
    assert [a.outcome for a in await store.attempts(job.id)] == ["crashed"] * 3


@pytest.mark.chaos
async def test_a_frozen_worker_loses_its_job_and_records_nothing(store, enqueuer, start_worker, ledger) -> None:
    first = start_worker()
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=150), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("step")) > 5)
    os.kill(first.pid, signal.SIGSTOP)
    start_worker()
    await wait_until_async(lambda: len(ledger.lines("begin")) == 2)
    os.kill(first.pid, signal.SIGCONT)
    await until_state(store, accepted.job_id, State.COMPLETED)
    job = await store.present(accepted.job_id)
    assert job.attempt == 2
    assert [a.outcome for a in await store.attempts(job.id)] == ["crashed", "completed"]


async def test_parts_spread_and_come_together(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_spread, probe.Spread(parts=40), owner="acme", units=40)
    await until_state(store, accepted.job_id, State.COMPLETED)
    job = await store.present(accepted.job_id)
    assert job.result == {"sum": sum(n * 10 for n in range(40)), "bad": []}
    assert (job.parts_total, job.parts_done, job.attempt) == (40, 40, 1)
    assert job.data == {"pieces_done": 40, "total_pieces": 40}
    assert len(ledger.lines("piece")) == 40


async def test_one_bad_part_does_not_kill_the_whole_and_retry_does_only_it(
    store, enqueuer, start_worker, ledger
) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_spread, probe.Spread(parts=3, bad=[0, 1, 2]), owner="acme")
    await until_state(store, accepted.job_id, State.FAILED)
    assert (await store.present(accepted.job_id)).error == "every piece failed"
    ledger.path.with_suffix(".fixed").touch()
    await store.retry(accepted.job_id)
    await until_state(store, accepted.job_id, State.COMPLETED)
    assert (await store.present(accepted.job_id)).result == {"sum": 30, "bad": []}


async def test_cancelling_a_job_cancels_its_parts(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    payload = probe.Spread(parts=400, part_s=0.05)
    accepted = await enqueuer.enqueue(probe.probe_spread, payload, owner="acme")
    await wait_until_async(lambda: len(ledger.lines("piece")) > 4)
    await store.cancel(accepted.job_id)
    await until_state(store, accepted.job_id, State.CANCELLED)

    async def all_ended() -> bool:
        return all(part.state.terminal for part in await store.parts(accepted.job_id))

    await wait_until_async(all_ended)
    assert len(ledger.lines("piece")) < 400
    await store.purged([accepted.job_id])
    assert await store.parts(accepted.job_id) == []


async def test_a_chain_starts_each_link_with_the_one_before(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_chain, probe.Chain(links=3), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("link")) == 4)
    assert [line[0] for line in ledger.lines("link")] == ["3", "2", "1", "0"]
    following = (await store.present(accepted.job_id)).result["next"]
    await until_state(store, following, State.COMPLETED)
    assert (await store.present(following)).owner == "acme"


async def test_a_quiet_worker_finishes_what_it_runs_and_begins_nothing(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    running = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=20), owner="acme")
    await wait_until_async(lambda: ledger.lines("step"))
    (worker,) = await store.workers()

    async def reported_quiet(quiet: bool) -> None:
        async def seen() -> bool:
            return [one.quiet for one in await store.workers()] == [quiet]

        await wait_until_async(seen)

    assert await store.command(worker.id, channels.QUIET)
    await reported_quiet(True)
    waiting = await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="x"), owner="acme")
    await until_state(store, running.job_id, State.COMPLETED)
    assert await state_of(store, waiting.job_id) is State.QUEUED and not ledger.lines("echo")
    assert await store.command(worker.id, channels.RESUME)
    await reported_quiet(False)
    await until_state(store, waiting.job_id, State.COMPLETED)
    assert (await store.present(waiting.job_id)).attempt == 1


async def test_a_worker_that_is_told_to_stop_ends_as_after_a_signal(store, enqueuer, start_worker, ledger) -> None:
    process = start_worker()
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=20), owner="acme")
    await wait_until_async(lambda: ledger.lines("step"))
    (worker,) = await store.workers()
    assert await store.command(worker.id, channels.STOP)
    await wait_until_async(lambda: process.process.poll() is not None)
    assert process.process.returncode == 0
    assert await state_of(store, accepted.job_id) is State.COMPLETED and await store.workers() == []
    assert not await store.command(worker.id, channels.STOP)
