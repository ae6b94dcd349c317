"""One attempt of one job, from its claim to its outcome."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from service.engine.pool.cpu_pool import CpuPool
from service.engine.runtime import Runtime
from service.engine.store import Job, LeaseLost
from service.engine.store.script_inputs import Outcome, as_json
from service.engine.worker.failures import attempt_entry, failure
from service.engine.worker.job_log import JobLog
from service.engine.worker.job_run import JobRun, PutAside
from service.engine.worker.outages import Outages
from service.lib.outages import outage_of
from tasks.sdk.errors import Permanent, RetryLater
from tasks.sdk.types import JobType

log = structlog.get_logger("offload.worker")

CLEAN_UP_S = 5.0
"""A stopped task may tidy up this long before it is told again."""

Report = Callable[[Outcome], "asyncio.Future[str]"]


class Execution:
    """Runs a claimed job and reports what became of it. `stop` may end it early, for one of three reasons."""

    def __init__(
        self, job: Job, job_type: JobType, runtime: Runtime, pool: CpuPool, report: Report, outages: Outages
    ) -> None:
        self.job = job
        self.job_type = job_type
        self.runtime = runtime
        self.pool = pool
        self.report = report
        self.outages = outages
        self.timeout_s = job_type.timeout_s or runtime.settings.queues[job_type.queue].timeout_s
        self.stopped_for: str | None = None
        self.task: asyncio.Task[Any] | None = None
        self.begun_s = time.monotonic()
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

    def stop(self, reason: str) -> None:
        """End the attempt: `cancelled` by request, `shutdown` of the worker, or `lost` lease."""
        if self.stopped_for is None and not self.ended:
            self.stopped_for = reason
            self._insist()

    def _insist(self) -> None:
        # A client that reads while it is cancelled may take that for a lost connection, and go on: once is not enough.
        if self.task is not None:
            self.task.cancel()
            asyncio.get_running_loop().call_later(CLEAN_UP_S, self._insist)

    def _report_started(self) -> None:
        log.info("→", job=self.job.id, attempt=self.job.attempt)

    async def _run(self) -> Outcome:
        run = JobRun(self.job, self.runtime, self.pool)
        lines = JobLog(self.runtime.store, self.job, self.job_type.personal)
        limit = asyncio.timeout(self.timeout_s)
        self.task = asyncio.current_task()
        try:
            if self.stopped_for:
                # Somebody was quicker than the loop that was about to begin it.
                raise asyncio.CancelledError
            payload = self._payload()
            with lines.bound():
                async with limit:
                    result = await self.job_type.function(payload, run)
            await run.flush()
            outcome = self._completed(result, run)
        except PutAside:
            outcome = self._outcome("suspend")
        except asyncio.CancelledError:
            outcome = self._stopped()
        except LeaseLost:
            outcome = self._outcome("lost")
        except Exception as error:
            timed_out = isinstance(error, TimeoutError) and limit.expired()
            outcome = self._failed(error, timed_out=timed_out)
        finally:
            self.task, self.ended = None, True
            await run.close()
            await lines.close()
        # A task that swallowed its cancellation still ends for the reason it was stopped for.
        return self._stopped() if self.stopped_for and outcome.kind != "suspend" else outcome

    def _payload(self) -> Any:
        try:
            return msgspec.convert(self.job.payload, self.job_type.payload)
        except msgspec.ValidationError as error:
            raise Permanent(f"the payload does not fit {self.job.type}: {error}") from None

    def _outcome(self, kind: str, fields: list[Any] | None = None, **more: Any) -> Outcome:
        return Outcome(self.job.id, self.job.queue, self.job.fence, kind, fields=fields or [], **more)

    def _completed(self, result: Any, run: JobRun) -> Outcome:
        fields = ["progress", 100, "message", "Done", "error", ""]
        fields += ["artefacts", as_json(run.artefacts)]
        entry = attempt_entry(self.job, "completed")
        run_ms = int(entry["finished_ms"]) - int(entry["started_ms"])  # type: ignore[call-overload]  # both are ints
        return self._outcome(
            "completed",
            fields,
            attempt=entry,
            units=self.job.units,
            run_ms=run_ms,
            result=as_json(result),
            next=run.following,
        )

    def _failed(self, error: Exception, *, timed_out: bool) -> Outcome:
        outage = None if timed_out or isinstance(error, Permanent | RetryLater) else outage_of(error)
        if outage is None:
            return failure(self.job, self.job_type, error, self.timeout_s if timed_out else None)
        # The whole error is for the log: its text may hold addresses.
        log.warning("met an outage", job=self.job.id, part=outage.part, error=f"{type(error).__name__}: {error}"[:500])
        delay_s = self.outages.delay_s(self.job.id)
        self.outages.met(outage)
        reason = f"{outage.sentence}; tried again once it is back, without spending a try"
        return failure(self.job, self.job_type, RetryLater(delay_s, reason))

    def _stopped(self) -> Outcome:
        if self.stopped_for == "cancelled":
            return self._outcome("cancelled", ["message", "Cancelled"], attempt=attempt_entry(self.job, "cancelled"))
        if self.stopped_for == "lost":
            return self._outcome("lost")
        return self._outcome("handback", ["message", "Handed back by a worker that is shutting down"])

    async def _record(self, outcome: Outcome) -> str:
        if outcome.kind == "lost":
            return "lost"
        self.reporting = True
        # Whoever cancels this worker must not tear the report in half: the job would wait for its lease to run out.
        return await asyncio.shield(self.report(outcome))

    def _report_ended(self, state: str) -> None:
        seconds = f"{time.monotonic() - self.begun_s:.2f}"
        mark = {"completed": "←", "retrying": "↻", "failed": "!", "lost": "?", "cancelled": "×"}.get(state, "…")
        log.info(mark, job=self.job.id, attempt=self.job.attempt, state=state, seconds=seconds)
