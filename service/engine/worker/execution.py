"""One attempt of one job, from its claim to its outcome."""

import asyncio
import math
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from service.engine.outcomes import AttemptOutcome, OutcomeKind, StopReason
from service.engine.pool.cpu_pool import CpuPool
from service.engine.runtime import Runtime
from service.engine.store import Job, LeaseLost
from service.engine.store.run_history import TAG
from service.engine.store.script_inputs import Outcome, as_json, attempt_ended
from service.engine.worker.cpu_meter import CpuMeter
from service.engine.worker.failures import cause, failure
from service.engine.worker.job_log import JobLog
from service.engine.worker.job_run import JobRun, PutAside
from service.engine.worker.outages import Outages
from service.lib.outages import Outage, outage_of
from tasks.sdk.chain import Finished, followers
from tasks.sdk.errors import Permanent, RetryLater
from tasks.sdk.results import refuse_too_large
from tasks.sdk.types import REGISTRY, JobType

log = structlog.get_logger("offload.worker")

CLEAN_UP_S = 5.0
"""A stopped task may clean up this long before it is cancelled again."""

NEWER_S, NEWER_MAX_S = 1.0, 15.0
"""Seconds before a job that needs a newer worker is offered again: the first time, and at most. It doubles."""

OF_A_NEWER_RELEASE = re.compile("unknown field|Invalid enum value")
"""Faults, in msgspec's words, of a payload that was checked by a release that knows more than this one."""

FOR_NEWER_LOGGED: set[str] = set()
"""Job types of which it has been logged that their payloads are newer than this process."""


class ForNewerWorker(Exception):
    """The stored payload has something that this release does not know. The message names it."""


EVENTS = {
    "active": "job.suspended",
    "queued": "job.handed_back",
    "lost": "job.lease_lost",
}
"""Log events by the state after an attempt, where the event is not called by the state."""

Report = Callable[[Outcome], "asyncio.Future[str]"]


class Execution:
    """Runs a claimed job and reports its outcome. `stop` may end it early, for one of three reasons.

    `report` writes an outcome and returns the state after it; `outages` is informed of parts that are out of reach.
    `leased_until_s` (monotonic) is the end of the job's lease, infinite where nothing renews it.
    """

    def __init__(
        self,
        job: Job,
        job_type: JobType,
        runtime: Runtime,
        pool: CpuPool,
        report: Report,
        outages: Outages,
        *,
        leased_until_s: float = math.inf,
    ) -> None:
        self.leased_until_s = leased_until_s
        self.job = job
        self.job_type = job_type
        self.runtime = runtime
        self.pool = pool
        self.report = report
        self.outages = outages
        self.timeout_s = job_type.timeout_s or runtime.settings.queues[job_type.queue].timeout_s
        self.stopped_for: StopReason | None = None
        self.task: asyncio.Task[Any] | None = None
        self.limit: asyncio.Timeout | None = None
        """Of the task while it runs, without an end before `_report_started`."""
        self.begun_s = time.monotonic()
        self.cpu = CpuMeter()
        self.renewed = False
        self.ended = False
        self.reporting = False

    async def process(self) -> str:
        """The whole attempt. Returns the job's state afterwards, or `lost`."""
        with self.runtime.tracing.attempt(self.job):
            # Logged once the task has come to its first wait: the cost of a line need not delay it.
            asyncio.get_running_loop().call_soon(self._report_started)
            outcome = await self._run()
            self.runtime.tracing.outcome(outcome)
            state = await self._record(outcome)
            self._report_ended(state)
            return state

    def stop(self, reason: StopReason) -> None:
        """End the attempt before its task has returned."""
        if self.stopped_for is None and not self.ended:
            self.stopped_for = reason
            self._insist()

    def metered_ms(self) -> int:
        """CPU time so far, for a renewal of the lease to count."""
        self.renewed = True
        return self.cpu.ms

    def _insist(self) -> None:
        # A client that reads while it is cancelled may take that for a lost connection, and go on: once is not enough.
        if self.task is not None:
            self.task.cancel()
            asyncio.get_running_loop().call_later(CLEAN_UP_S, self._insist)

    def _report_started(self) -> None:
        if self.limit is not None and self.timeout_s is not None:
            # Set only now: a task that never waits has returned already, and the timer would have cost as much as it.
            self.limit.reschedule(asyncio.get_running_loop().time() + self.timeout_s)
        log.info("job.started", job=self.job.id, attempt=self.job.attempt)

    async def _run(self) -> Outcome:
        run = JobRun(self.job, self.runtime, self.pool, self.cpu)
        lines = JobLog(self.runtime.store, self.job, self.job_type.personal)
        limit = asyncio.timeout(None)
        run.timed_out = limit.expired
        self.task = asyncio.current_task()
        try:
            if self.stopped_for:
                # A stop was quicker than the loop that was about to begin it.
                raise asyncio.CancelledError
            if time.monotonic() >= self.leased_until_s:
                # This process stood still since: by now the job may be another's.
                raise LeaseLost(self.job.id)
            if self.job.unreadable:
                raise Permanent(self.job.unreadable)
            if self.job.payload_file:
                await self.runtime.payloads.load(self.job)
            payload = self._payload()
            with lines:
                async with limit:
                    self.limit = limit
                    result = await self.cpu.metered(self.job_type.function(payload, run))
                    text = "" if result is None else as_json(result)
                    if text:
                        refuse_too_large(text)
                    await self._follow(payload, result, run)
            self.limit = None
            await run.flush()
            if run.following:
                await self.runtime.enqueuer.move_out(run.following)
            outcome = self._completed(result, text, run)
        except BaseException as error:
            outcome = self._raised(error, limit)
        finally:
            self.task, self.limit, self.ended = None, None, True
            await run.close()
            await lines.close()
        # A task that swallowed its cancellation still ends for the reason it was stopped for.
        return self._stopped() if self.stopped_for and outcome.kind != OutcomeKind.SUSPEND else outcome

    async def _follow(self, payload: Any, result: Any, run: JobRun) -> None:
        """Start what is declared to follow. A part is not a job in its own right: nothing follows it."""
        # Asked here, so that a job of a type that nothing follows takes no step more.
        if not self.job.parent and any(one.after == self.job_type.name for one in REGISTRY.values()):
            for job_type, next_payload in followers(self.job_type, Finished(self.job.id, payload, result)):
                await run.then(job_type, next_payload)

    def _payload(self) -> Any:
        try:
            return msgspec.convert(self.job.payload, self.job_type.payload)
        except msgspec.ValidationError as error:
            if OF_A_NEWER_RELEASE.search(str(error)):
                raise ForNewerWorker(str(error)) from None
            raise Permanent(f"the payload does not fit {self.job.type}: {error}") from None

    def _raised(self, error: BaseException, limit: asyncio.Timeout) -> Outcome:
        """The outcome of a task that did not return. A group of errors counts as the one that decides."""
        why = cause(error)
        if isinstance(why, PutAside):
            return self._outcome(OutcomeKind.SUSPEND)
        if isinstance(why, asyncio.CancelledError):
            return self._stopped()
        if isinstance(why, LeaseLost):
            return self._outcome(OutcomeKind.LOST)
        if isinstance(why, ForNewerWorker):
            return self._postponed(why)
        if not isinstance(why, Exception):
            raise error
        if isinstance(why, TimeoutError) and limit.expired():
            return failure(self.job, self.job_type, error, self.timeout_s)
        outage = None if isinstance(why, Permanent | RetryLater) else outage_of(error)
        return self._met(outage, why) if outage else failure(self.job, self.job_type, error)

    def _met(self, outage: Outage, error: Exception) -> Outcome:
        """Waits an outage out, without spending a try."""
        # The whole error is for the log: its text may hold addresses.
        log.warning("job.met_outage", job=self.job.id, part=outage.part, error=f"{type(error).__name__}: {error}"[:500])
        delay_s = self.outages.delay_s(self.job.id)
        self.outages.met(outage)
        reason = f"{outage.sentence}; tried again once it is back, without spending a try"
        return failure(self.job, self.job_type, RetryLater(delay_s, reason))

    def _postponed(self, error: ForNewerWorker) -> Outcome:
        """Back to the queue, for longer each time: in a deploy the newer worker is there soon."""
        if self.job.type not in FOR_NEWER_LOGGED:
            FOR_NEWER_LOGGED.add(self.job.type)
            log.warning("job.payload_too_new", type=self.job.type, error=str(error))
        delay_s = min(NEWER_MAX_S, NEWER_S * 2 ** min(self.job.postponed, 10))
        fields = ["message", f"Waits for a worker of a newer release: {error}", "postponed", self.job.postponed + 1]
        return self._outcome(OutcomeKind.LATER, fields, delay_ms=round(delay_s * 1000))

    def _outcome(self, kind: OutcomeKind, fields: list[Any] | None = None, **more: Any) -> Outcome:
        return Outcome(self.job.id, self.job.queue, self.job.fence, kind, fields=fields or [], **more)

    def _completed(self, result: Any, text: str, run: JobRun) -> Outcome:
        # A result may have a summary for people and tags to be found by; most say all with their numbers.
        fields: list[Any] = ["progress", 100, "message", getattr(result, "summary", "") or "Done"]
        # Each field costs the server time: those that are there only where they change something.
        if self.job.error:
            fields += ["error", ""]
        if run.artefacts:
            fields += ["artefacts", as_json(run.artefacts)]
        if run.following:
            fields += ["next_jobs", as_json([request.id for request in run.following])]
        entry = attempt_ended(self.job, AttemptOutcome.COMPLETED)
        return self._outcome(
            OutcomeKind.COMPLETED,
            fields,
            attempt=entry,
            units=self.job.units,
            run_ms=True,
            result=text or False,
            next=run.following,
            counts=dict(getattr(result, "counts", {})),
            usage={} if self.job.parent else dict(getattr(result, "usage", {})),
            find=[] if self.job.parent else [f"{TAG}:{tag}" for tag in getattr(result, "tags", ())],
        )

    def _stopped(self) -> Outcome:
        if self.stopped_for is StopReason.CANCELLED:
            entry = attempt_ended(self.job, AttemptOutcome.CANCELLED)
            return self._outcome(OutcomeKind.CANCELLED, ["message", "Cancelled"], attempt=entry)
        if self.stopped_for is StopReason.LOST:
            return self._outcome(OutcomeKind.LOST)
        return self._outcome(
            OutcomeKind.HANDBACK, ["message", "Returned to the queue by a worker that is shutting down"]
        )

    async def _record(self, outcome: Outcome) -> str:
        if outcome.kind == OutcomeKind.LOST:
            return "lost"
        self.reporting = True
        outcome.cpu_ms, outcome.renewed = self.cpu.ms, self.renewed
        # A cancellation of this worker must not cut the report short: the job would wait for its lease to run out.
        return await asyncio.shield(self.report(outcome))

    def _report_ended(self, state: str) -> None:
        seconds = f"{time.monotonic() - self.begun_s:.2f}"
        log.info(EVENTS.get(state, f"job.{state}"), job=self.job.id, attempt=self.job.attempt, seconds=seconds)
