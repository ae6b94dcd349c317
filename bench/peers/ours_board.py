"""Offload with many jobs, for the dashboards' bench: `python -m bench.peers.ours_board 10000`.

Three in four are completed, a fifth waits, one in twenty failed: jobs of every queue and of several owners, each copied
from one that went through the store's own verbs. Counts of the last two days, five weeks and month are added, and
an audit log.
"""

import asyncio
import itertools
import os
import sys
import time
from typing import Any

import msgspec
from redis import Redis

from bench.harness.clones import Entry, Pattern, copy
from bench.harness.shares import SHARES, shared_out
from service.database.seed import seed
from service.engine.store import Job, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.worker.error_fingerprint import fingerprint
from service.services import Services, open_services
from settings import load_settings
from settings.queues import Queue
from tasks.sdk.errors import Permanent
from tasks.sdk.types import REGISTRY

EVENTS_MAX = 20_000
"""Lines of the audit log: it lies in the database, and what is measured here are jobs."""

OWNERS = ("acme", "globex", "initech")
PAYLOADS: dict[str, dict[str, Any]] = {
    "pdf-ocr": {"file_id": "file-0123456789abcdef0123456789abcdef"},
    "email-batch": {"template_id": "template-0123456789abcdef", "segment": "active"},
    "csv-export": {"dataset": "events", "query_params": {"action": "job.retried"}, "format": "csv"},
    "thumbnails": {"document_ids": ["file-0123456789abcdef0123456789abcdef"], "sizes": [150, 300, 600]},
}
ERRORS = (
    "This PDF is encrypted: it opens only with a password.",
    "The mail server does not answer.",
    "The disk is full.",
    "Page 7 of 12 cannot be read: its picture is cut off in the middle of a line of pixels.",
)

STEP_MS = -9_600
"""Copies of one job lie so far apart in time: a million jobs, copies of three dozen, are a week."""

TIMES = ("created_ms", "ready_ms", "started_ms", "first_started_ms", "finished_ms", "expected_ms")

SPANS = {keys.metrics: (60, 2_880), keys.metrics_hour: (3_600, 840), keys.metrics_day: (86_400, 30)}
"""Seconds of a span of each tier, and how many of them are kept."""


async def made(services: Services, type_name: str, owner: str, state: str, error: str) -> Job:
    """A job that the store itself has taken to this state."""
    job_type = REGISTRY[type_name]
    payload = msgspec.convert(PAYLOADS[type_name], job_type.payload)
    accepted = await services.enqueuer.enqueue(job_type, payload, owner=owner, units=12)
    store = services.store
    if state == "queued":
        return await store.present(accepted.job_id)
    known = msgspec.msgpack.encode([type_name])
    (job,) = (await store.claimed(Claim(str(job_type.queue), "bench:host:1", 1, 60_000, known))).jobs
    attempt = {"number": 1, "worker": "bench:host:1"}
    if state == "failed":
        cause = fingerprint(Permanent(error))
        fields = ["error", error, "error_type", "Permanent", "message", error, "fingerprint", cause]
        attempt |= {"outcome": "failed", "error": error, "traceback": "Traceback (most recent call last):\n" * 12}
    else:
        result, artefacts = '{"pages":12,"words":4096}', '[{"name":"text.txt","bytes":20480,"media_type":"text/plain"}]'
        fields = ["result", result, "artefacts", artefacts, "progress", 100, "message", "Done"]
        attempt |= {"outcome": "completed"}
    await store.settled(
        [Outcome(job.id, job.queue, job.fence, state, fields=fields, attempt=attempt, units=12, run_ms=900)]
    )
    return await store.present(job.id)


def pattern(redis: Any, job: Job) -> Pattern:
    """Everything that stands in Redis about a job, by the names of service/engine/store/keys.py."""
    own = [keys.job(job.id), keys.attempts(job.id), f"arq:job:{job.id}"]
    by_stamp = [keys.by_type(job.type, job.state), keys.by_owner(job.owner, job.state)]
    found_by = redis.hget(keys.job(job.id), "find")
    by_stamp += [keys.found_by(*name.split(":", 1)) for name in msgspec.msgpack.decode(found_by or b"\x90")]
    by_stamp += [keys.error_jobs(job.fingerprint)] if job.fingerprint else []
    steps = dict.fromkeys(by_stamp, STEP_MS * 1000) | {keys.finished(job.queue): STEP_MS, job.queue: 1}
    entries = [
        Entry(key, job.id, score, step)
        for key, step in steps.items()
        if (score := redis.zscore(key, job.id)) is not None
    ]
    moved = dict.fromkeys(TIMES, float(STEP_MS)) | {"stamp": STEP_MS * 1000.0}
    return Pattern(job.id, [key for key in own if redis.exists(key)], entries, moved)


def counted(redis: Any) -> None:
    """The minute in which the patterns were made, as every minute, hour and day that is kept."""
    now_s = time.time()
    for queue in Queue:
        minutes = (keys.metrics(queue, int(now_s // 60) - back) for back in range(3))
        template = next(key for key in minutes if redis.exists(key))
        for tier, (seconds, retention) in SPANS.items():
            present = int(now_s // seconds)
            for number in range(present - retention, present):
                redis.copy(template, tier(queue, number), replace=True)
        redis.hset(keys.metrics_total(queue), "through", int(now_s // 60) - 1)


async def fill(count: int) -> None:
    """Make the patterns, and copy them until there are `count` jobs."""
    async with open_services(load_settings()) as services:
        patterns = []
        for index, (state, type_name, owner) in enumerate(itertools.product(SHARES, PAYLOADS, OWNERS)):
            patterns.append(await made(services, type_name, owner, state, ERRORS[index % len(ERRORS)]))
        await seed(services.database, users=100, events=min(count // 10, EVENTS_MAX))
    redis = Redis.from_url(os.environ["BENCH_URL"])
    counted(redis)
    for index, job in enumerate(patterns):
        copies = shared_out(count, job.state, len(PAYLOADS) * len(OWNERS))
        copy(redis, pattern(redis, job), copies, first=1 + index)
        if job.fingerprint:
            redis.hincrby(keys.error_group(job.fingerprint), "seen", copies)
    # The newest failed job is one whose page the bench opens.
    print("job", next(job.id for job in reversed(patterns) if job.state == "failed"), flush=True)


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
