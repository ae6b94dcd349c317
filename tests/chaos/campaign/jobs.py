"""The job type of a campaign, which records what its attempts do. Imported by the campaign's processes alone: it is public."""

import asyncio
import os
from pathlib import Path
from typing import Any

from settings.queues import Queue
from tasks.sdk.declaring import job
from tasks.sdk.types import Meter, Payload
from tests.chaos.histories.record import Kind, Recorder, monotonic_ms

RECORDER = Recorder(Path(os.environ.get("CHAOS_HISTORY", os.devnull)))

STEPS = Meter("Step {done} of {total} ({percent}%)", "steps_done", "total_steps")


class Work(Payload):
    """`request` is the client's own name for its request, which finds a job that no answer named."""

    request: str
    steps: int = 2
    step_s: float = 0.01
    cpu: bool = False
    fails: int = 0


def double(number: int) -> int:
    """Something for a pool child."""
    return number * 2


@job(queue=Queue.THUMBNAILS, retries=20, backoff_s=0.05, backoff_max_s=0.5)
async def chaos_work(payload: Work, run: Any) -> int:
    """Has a guarded effect and an unguarded one at each step."""
    own = {"job": run.job_id, "fence": run.job.fence, "pid": os.getpid()}
    RECORDER.record(
        Kind.BEGUN, **own, request=payload.request, attempt=run.attempt, worker=run.job.worker or "", note=run.job.type
    )
    for step in range(payload.steps):
        since_ms = monotonic_ms()
        if await run.once(f"step-{step}"):
            RECORDER.record(Kind.EFFECT, **own, name=f"guarded-{step}", guarded=True, since_ms=since_ms)
        RECORDER.record(Kind.EFFECT, **own, name=f"plain-{step}", since_ms=since_ms)
        await asyncio.sleep(payload.step_s)
        await run.progress(step + 1, payload.steps, STEPS)
    if run.attempt <= payload.fails:
        raise ValueError(f"attempt {run.attempt} was asked to fail")
    if payload.cpu and await run.cpu(double, 21) != 42:
        raise ValueError("the pool cannot count")
    RECORDER.record(Kind.THROUGH, **own)
    return payload.steps
