"""`TracedExecution`: an attempt as a span, with what it waits for inside it."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

from opentelemetry import trace

from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import Job
from service.engine.store.script_inputs import NewJob, Outcome
from service.engine.worker.execution import Execution, Report
from service.engine.worker.job_run import JobRun
from service.monitoring.tracing.spans import Spans, carried, settle
from service.services import Services
from tasks.sdk.job import JobType, Meter, PartResult, Payload

T = TypeVar("T")


class TracedRun(JobRun):
    """A `JobRun` that tells what it does."""

    def __init__(self, spans: Spans, job: Job, services: Services, pool: CpuPool) -> None:
        super().__init__(job, services, pool)
        self.spans = spans

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        # An event and not a span: a stage is a moment, and a span keeps the last 128 of them at most.
        trace.get_current_span().add_event(message, {"offload.job.progress": percent})
        await super().stage(percent, message, **data)

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        with self.spans.within(f"cpu {getattr(function, '__name__', 'function')}"):
            return await super().cpu(function, *args, timeout_s=timeout_s)

    async def parts(
        self, job: JobType, payloads: Sequence[Payload], meter: Meter, units: Sequence[int]
    ) -> list[PartResult]:
        if self.job.parts_total:
            # They were made in an earlier turn: this one only collects them.
            return await super().parts(job, payloads, meter, units)
        with self.spans.sending(str(job.queue), job.name, count=len(payloads)):
            return await super().parts(job, payloads, meter, units)

    async def _request(
        self, job: JobType, payload: Payload, job_id: str, units: int, *, parent: str = "", part: int = 0
    ) -> NewJob:
        request = await super()._request(job, payload, job_id, units, parent=parent, part=part)
        if parent:
            request.fields += carried()
            return request
        with self.spans.sending(request.queue, request.type, job_id=job_id):
            request.fields += carried()
        return request


class TracedExecution(Execution):
    """An `Execution` that tells what it does."""

    def __init__(
        self, spans: Spans, job: Job, job_type: JobType, services: Services, pool: CpuPool, report: Report
    ) -> None:
        # The task that sends reports serves every job, so it must not begin within the span of one.
        outside = copy_context()
        super().__init__(job, job_type, services, pool, lambda outcome: outside.run(report, outcome))
        self.spans = spans

    async def process(self) -> str:
        with self.spans.processing(self.job):
            return await super().process()

    def _task_run(self) -> JobRun:
        return TracedRun(self.spans, self.job, self.services, self.pool)

    async def _record(self, outcome: Outcome) -> str:
        settle(trace.get_current_span(), outcome)
        return await super()._record(outcome)
