"""Plain arq stays welcome: its client enqueues, asks and aborts, and `arq --check` and the containers' check tell the truth."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.jobs import Job, JobStatus

from service.engine.states import State
from tests.engine import probe
from tests.engine.conftest import ROOT
from tests.waiting import until_state, wait_until_async


@pytest.fixture
async def plain(settings_env):
    """An unmodified arq client with a JSON serializer."""
    pool: ArqRedis = await create_pool(
        RedisSettings.from_dsn(settings_env["OFFLOAD_REDIS_URL"]),
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
    )
    yield pool
    await pool.aclose(close_connection_pool=True)


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
async def test_a_foreign_job_is_adopted(store, start_worker, plain, encode) -> None:
    plain.job_serializer = encode
    start_worker()
    job = await plain.enqueue_job("probe_echo", word="from afar", _queue_name="thumbnails")
    await until_state(store, job.job_id, State.COMPLETED)
    record = await store.present(job.job_id)
    assert (record.owner, record.result) == ("unknown", {"word": "from afar"})


async def test_a_deferred_foreign_job_waits_its_time(store, start_worker, plain) -> None:
    start_worker()
    job = await plain.enqueue_job("probe_echo", word="later", _queue_name="thumbnails", _defer_by=1)
    assert await job.status() is JobStatus.deferred
    await until_state(store, job.job_id, State.COMPLETED)


async def test_pickle_is_refused_with_a_sentence(store, start_worker, plain) -> None:
    plain.job_serializer = None
    start_worker()
    job = await plain.enqueue_job("probe_echo", word="pickled", _queue_name="thumbnails")
    await until_state(store, job.job_id, State.FAILED)
    assert "pickle" in ((await store.present(job.job_id)).error or "")


async def test_arguments_that_do_not_fit_are_refused(store, start_worker, plain) -> None:
    start_worker()
    job = await plain.enqueue_job("probe_echo", colour="red", _queue_name="thumbnails")
    await until_state(store, job.job_id, State.FAILED)
    assert "colour" in ((await store.present(job.job_id)).error or "")


async def test_status_of_ours_is_true(store, enqueuer, start_worker, plain, ledger) -> None:
    accepted = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=10_000), owner="acme")
    ours = Job(accepted.job_id, plain, _queue_name="thumbnails", _deserializer=msgspec.msgpack.decode)
    assert await ours.status() is JobStatus.queued
    start_worker()
    await wait_until_async(lambda: len(ledger.lines("step")) > 1)
    assert await ours.status() is JobStatus.in_progress
    await ours.abort(timeout=30, poll_delay=0.05)
    assert (await store.present(accepted.job_id)).state is State.CANCELLED


async def test_the_result_of_ours_is_there_for_arq(enqueuer, start_worker, plain) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="hi"), owner="acme")
    ours = Job(accepted.job_id, plain, _queue_name="thumbnails", _deserializer=msgspec.msgpack.decode)
    assert await ours.result(timeout=30, poll_delay=0.05) == {"word": "hi"}
    assert await ours.status() is JobStatus.complete


async def test_a_foreign_client_gets_its_result_in_its_own_format(start_worker, plain) -> None:
    start_worker()
    job = await plain.enqueue_job("probe_echo", word="from afar", _queue_name="thumbnails")
    assert await job.result(timeout=30, poll_delay=0.05) == {"word": "from afar"}


async def test_the_check_of_the_containers_tells_whether_this_worker_s_loop_turns(
    start_worker: Any, tmp_path: Path
) -> None:
    compose = yaml.safe_load((ROOT / "compose.yml").read_text())
    command = compose["services"]["thumbnails"]["healthcheck"]["test"][1].replace("/tmp", str(tmp_path))

    def healthy() -> bool:
        return subprocess.run(["sh", "-c", command], capture_output=True, timeout=60).returncode == 0

    assert not healthy()
    worker = start_worker(TMPDIR=str(tmp_path))
    await wait_until_async(healthy)
    # Frozen, with the time of its last turn two minutes back.
    worker.process.send_signal(signal.SIGSTOP)
    (beat,) = tmp_path.glob("offload-scratch-*/beat")
    os.utime(beat, (beat.stat().st_mtime - 120,) * 2)
    assert not healthy()
    worker.process.send_signal(signal.SIGCONT)
    await wait_until_async(healthy)


async def test_arq_check_tells_whether_a_worker_lives(settings_env, start_worker, store) -> None:
    def check() -> int:
        command = [sys.executable, "-m", "arq", "--check", "tests.engine.workers.Probe"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode

    worker = start_worker()
    await wait_until_async(lambda: store.redis.exists("thumbnails:health-check"))
    assert await asyncio.to_thread(check) == 0
    worker.terminate()
    await wait_until_async(lambda: worker.process.poll() is not None)
    assert await asyncio.to_thread(check) == 1
