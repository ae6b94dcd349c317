"""Meaning of an exception for a job: the sentence, the attempt's entry, and whether and when it is tried again."""

import random
import traceback
from typing import Any

from obstore.exceptions import BaseError

from service.engine.outcomes import AttemptOutcome, OutcomeKind
from service.engine.store import Job
from service.engine.store.script_inputs import Outcome, attempt_ended
from service.engine.worker.error_fingerprint import fingerprint
from service.lib.outages import outage_of
from tasks.sdk.errors import ChildDied, MemoryCeiling, Permanent, RetryLater
from tasks.sdk.types import JobType

TRACEBACK_MAX = 8_000
"""Characters of a traceback that are kept, from its end: where it broke stands last."""

ERROR_MAX = 2_000
"""Characters of an error's sentence that are kept."""


def cause(error: BaseException) -> BaseException:
    """The error that counts: of a group (an `asyncio.TaskGroup` makes one of even a single error) one of those within.

    One that no retry can fix decides, then any that spends a try, then the first.
    """
    if not isinstance(error, BaseExceptionGroup):
        return error
    within = [cause(one) for one in error.exceptions]
    return min(within, key=lambda one: 0 if isinstance(one, Permanent) else 2 if isinstance(one, RetryLater) else 1)


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
    job: Job, outcome: AttemptOutcome, error: BaseException | None = None, reason: str | None = None
) -> dict[str, object]:
    """The attempt as its history keeps it, with the error that ended it.

    `reason` is the sentence for the operator. The traceback of `error` is kept, its last TRACEBACK_MAX characters, except for
    errors that a task raises on purpose (Permanent, RetryLater).
    """
    entry = attempt_ended(job, outcome)
    if reason:
        entry["error"] = reason
    if error is not None and not isinstance(cause(error), Permanent | RetryLater):
        entry["traceback"] = "".join(traceback.format_exception(error))[-TRACEBACK_MAX:]
    return entry


def failure(job: Job, job_type: JobType, error: BaseException, timeout_s: float | None = None) -> Outcome:
    """The outcome of an attempt that raised: tried again while tries are left and the error may pass, else a dead letter.

    `timeout_s` is the limit that the attempt ran into, where that ended it.
    """
    why = cause(error)
    problem = sentence(why, timeout_s)
    if isinstance(why, RetryLater):
        delay_ms = round(why.delay_s * 1000)
        return Outcome(job.id, job.queue, job.fence, OutcomeKind.LATER, fields=["message", problem], delay_ms=delay_ms)
    permanent = isinstance(why, Permanent)
    # Bad input says nothing about the queue: it opens no breaker.
    found: dict[str, Any] = {} if permanent else {"fingerprint": fingerprint(why), "problem": problem}
    ended_as = AttemptOutcome.TIMEOUT if timeout_s else AttemptOutcome.FAILED
    entry = attempt_entry(job, ended_as, error, problem)
    fields = ["error", problem, "error_type", type(why).__name__]
    if permanent or job.tries_used > job.retries:
        fields += ["message", problem, "fingerprint", fingerprint(why), "permanent", "1" if permanent else ""]
        return Outcome(
            job.id, job.queue, job.fence, OutcomeKind.FAILED, fields=fields, attempt=entry, units=job.units, **found
        )
    delay_s = backoff_s(job_type, job.tries_used)
    fields += ["message", f"Trying again in {delay_s:.0f} s: {problem}"]
    return Outcome(
        job.id,
        job.queue,
        job.fence,
        OutcomeKind.RETRY,
        fields=fields,
        attempt=entry,
        delay_ms=round(delay_s * 1000),
        **found,
    )
