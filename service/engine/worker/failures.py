"""What an exception means for a job: the sentence, the attempt's entry, and whether and when it is tried again."""

import random
import traceback

from obstore.exceptions import BaseError

from service.engine.store import Job
from service.engine.store.script_inputs import Outcome
from service.engine.worker.error_fingerprint import fingerprint
from service.lib.clock import now_ms
from service.lib.outages import outage_of
from tasks.sdk.errors import ChildDied, MemoryCeiling, Permanent, RetryLater
from tasks.sdk.types import JobType

TRACEBACK_MAX = 8_000
"""Characters of a traceback that are kept, from its end: where it broke stands last."""

ERROR_MAX = 2_000
"""Characters of an error's sentence that are kept."""


def sentence(error: BaseException, timeout_s: float | None = None) -> str:
    """One line for people: the message alone where it was written for them, else with the exception's name.

    Of the storage only what kind of error it was: its own text is a page of Rust with the bucket and its address.
    """
    if isinstance(error, TimeoutError) and timeout_s:
        return f"timed out after {timeout_s:g} s"
    text = " ".join(str(error).split())[:ERROR_MAX]
    if isinstance(error, Permanent | RetryLater | ChildDied | MemoryCeiling) and text:
        return text
    if (outage := outage_of(error)) is not None:
        return outage.sentence
    if isinstance(error, BaseError):
        return f"The file storage refuses it ({type(error).__name__.removesuffix('Error')})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def backoff_s(job_type: JobType, tries: int) -> float:
    """Seconds before the next try: base × 2^(tries−1), capped, half of it random so that failures spread out.

    "Equal jitter" in M. Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015).
    """
    ceiling = min(job_type.backoff_max_s, job_type.backoff_s * 2 ** max(0, tries - 1))
    return ceiling / 2 + random.uniform(0, ceiling / 2)


def attempt_entry(
    job: Job, outcome: str, error: BaseException | None = None, said: str | None = None
) -> dict[str, object]:
    """The attempt as its history keeps it."""
    entry: dict[str, object] = {
        "number": job.attempt,
        "worker": job.worker or "",
        "started_ms": job.started_ms or job.created_ms,
        "finished_ms": now_ms(),
        "outcome": outcome,
    }
    if said:
        entry["error"] = said
    if error is not None and not isinstance(error, Permanent | RetryLater):
        entry["traceback"] = "".join(traceback.format_exception(error))[-TRACEBACK_MAX:]
    return entry


def failure(job: Job, job_type: JobType, error: BaseException, timeout_s: float | None = None) -> Outcome:
    """The outcome of an attempt that raised: tried again while tries are left and the error may pass, else a dead letter."""
    said = sentence(error, timeout_s)
    if isinstance(error, RetryLater):
        due = now_ms() + round(error.delay_s * 1000)
        return Outcome(job.id, job.queue, job.fence, "later", fields=["message", said], due=due)
    last = isinstance(error, Permanent) or job.tries_used > job.retries
    entry = attempt_entry(job, "timeout" if timeout_s else "failed", error, said)
    if last:
        fields = ["error", said, "error_type", type(error).__name__, "message", said, "fingerprint", fingerprint(error)]
        return Outcome(job.id, job.queue, job.fence, "failed", fields=fields, attempt=entry, units=job.units)
    delay_s = backoff_s(job_type, job.tries_used)
    fields = ["error", said, "error_type", type(error).__name__, "message", f"Trying again in {delay_s:.0f} s: {said}"]
    due = now_ms() + round(delay_s * 1000)
    return Outcome(job.id, job.queue, job.fence, "retry", fields=fields, attempt=entry, due=due)
