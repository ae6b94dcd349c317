"""`JobRun`: the `Run` that a task receives, over the store, the storage and the process pool."""

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.pool.cpu_pool import CpuPool
from service.engine.runtime import Runtime
from service.engine.store import Job, LeaseLost, OtherParts
from service.engine.store.script_inputs import NewJob
from service.engine.worker.cpu_meter import CpuMeter
from service.engine.worker.job_outputs import JobOutputs
from service.lib.async_tasks import end
from service.lib.parent_death import tied
from service.lib.sandbox.programs import confined
from service.lib.scratch import ScratchFolder
from service.lib.throttle import Throttled
from settings.queues import Queue
from tasks.sdk.errors import Permanent
from tasks.sdk.program import run_program
from tasks.sdk.types import (
    REGISTRY,
    JobType,
    Meter,
    PartResult,
    Payload,
    check_parts,
    check_wait,
    event_timed_out,
)

T = TypeVar("T")

log = structlog.get_logger("offload.job")

THROTTLE_S = 0.1
"""Progress is written ten times a second at most: faster than an eye or a poll, slower than a page of a fast task."""

QUESTION_MAX = 500
"""Characters of a question to a person that are kept."""

LINE_FIELDS = ("event", "level", "timestamp", "job", "attempt")
"""Fields of every line. A task's own field of such a name would be a TypeError, often while it handles another error."""


class PutAside(BaseException):
    """The job waits for its parts or for an event: ends this turn, not the attempt. No task may catch it as an Exception."""


class JobRun(JobOutputs):
    """One attempt of one job, as its task sees it."""

    def __init__(self, job: Job, runtime: Runtime, pool: CpuPool, meter: CpuMeter | None = None) -> None:
        self.job = job
        self.job_id = job.id
        self.owner = job.owner
        self.attempt = job.attempt
        self.runtime = runtime
        self.artefacts = list(job.artefacts)
        self.tracing = runtime.tracing
        self.pool = pool
        self.cpu_meter = meter or CpuMeter()
        self.following: list[NewJob] = []
        self._groups = 0
        self._parts_before = 0
        """Parts of the groups before, in this turn."""
        self._scratch: ScratchFolder | None = None
        self._pending: tuple[int, str, dict[str, Any], int] | None = None
        self._written_s = 0.0
        self.timed_out: Callable[[], bool] = lambda: False
        """True once the attempt's time is over: what it is cancelled within has taken too long."""
        self._throttled = Throttled(self._flush_unless_lost, THROTTLE_S)

    @property
    def scratch(self) -> Path:
        """A folder of this attempt's own, made when first asked for and removed when the attempt ends."""
        if self._scratch is None:
            self._scratch = ScratchFolder()
        return self._scratch.path

    async def progress(self, done: int, total: int, meter: Meter) -> None:
        """Record `done` of `total` units through `meter`."""
        percent, message = meter.at(done, total)
        await self._report(percent, message, {meter.done_key: done, meter.total_key: total}, done)

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        """Record a named stage at `percent`."""
        self.tracing.stage(message, percent)
        await self._report(percent, message, data, -1)

    async def _report(self, percent: int, message: str, data: dict[str, Any], units_done: int) -> None:
        if self._pending:
            data = self._pending[2] | data
            units_done = max(units_done, self._pending[3])
        self._pending = (percent, message, data, units_done)
        wait_s = self._written_s + THROTTLE_S - time.monotonic()
        if wait_s <= 0:
            await self.flush()
        else:
            self._throttled.soon(wait_s)

    async def _flush_unless_lost(self) -> None:
        # The renewal of the lease notices a loss too, and stops the attempt.
        with contextlib.suppress(LeaseLost):
            await self.flush()

    async def flush(self) -> None:
        """Write what progress has been held back."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._written_s = time.monotonic()
            try:
                await self.runtime.store.progressed(self.job, *pending)
            except (RedisError, OSError):
                # The attempt must not fail because its progress bar stands still while Redis is away.
                self._pending = self._pending or pending

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        """Run a module-level function in the worker's process pool."""
        name = getattr(function, "__name__", "function")
        with self.tracing.step(f"cpu {name}"), self.cpu_meter.part() as part:
            async with self.runtime.memory.measured(self.job, name) as memory:
                return await self.pool.run(function, *args, timeout_s=timeout_s, on_cpu=part, memory=memory)

    async def program(
        self, command: Sequence[str], *, on_line: Callable[[str], None] | None = None, timeout_s: float | None = None
    ) -> str:
        """Run an external program in the scratch folder. It ends with this process, however that ends."""
        memory_mb = self.runtime.settings.queues[Queue(self.job.queue)].memory_mb
        with self.tracing.step(f"program {Path(command[0]).name}"), self.cpu_meter.part() as part:
            return await run_program(
                command,
                self.scratch,
                on_line=on_line,
                timeout_s=timeout_s,
                memory_mb=memory_mb,
                launch=lambda started: tied(confined(started, self.pool.rules)),
                on_cpu=part,
                niceness=self.pool.niceness,
            )

    @contextlib.asynccontextmanager
    async def beside(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Do `work` while the block runs, and end it."""
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            # One cancellation may not do where `work` writes progress: see background.py.
            await end(task)

    async def once(self, name: str) -> bool:
        """True the first time any attempt asks for `name`, False ever after."""
        mine = secrets.token_bytes(8)
        # The enqueuer's store waits for the replicas that OFFLOAD_ENQUEUE_WAIT asks for.
        return await self.runtime.enqueuer.store.until_back.checkpointed(self.job, name, mine) == mine

    async def parts(
        self, job: JobType, payloads: Sequence[Payload], meter: Meter, units: Sequence[int]
    ) -> list[PartResult]:
        """Do `payloads` as parts of this job; returns when every one has ended. As declared in tasks/sdk/run.py.

        `units` is the work of each payload, in the same order, which `meter` turns into the job's progress.
        """
        check_parts(self.job_id, is_part=bool(self.job.parent), job=job)
        if not payloads:
            return []
        every, before = self.runtime.store, self._parts_before
        if every.of_queue(job.queue) is not every.of_queue(self.job.queue):
            raise Permanent(f"{self.job.type} makes parts of {job.name}, and their queues stand on two servers")
        store = every.of_queue(self.job.queue).until_back
        with self._making_parts(job, before + len(payloads)):
            requests = [
                await self._request(job, payload, units[at], job_id=f"{self.job.id}.{number}", part=number)
                for at, (number, payload) in enumerate(enumerate(payloads, before + 1))
            ]
            await self.flush()
            if self.job.parts_total < before + len(payloads):
                await self.runtime.enqueuer.move_out(requests)
            try:
                left, ids = await store.split(self.job, requests, meter, sum(units), self._groups + 1)
            except OtherParts as error:
                raise Permanent(str(error)) from None
            if left > 0:
                raise PutAside
        self._groups, self._parts_before = self._groups + 1, before + len(payloads)
        ended = await store.get_many(ids)
        for part in ended:
            if part is not None:
                await self.runtime.payloads.load(part)
        return [part_result(part, before) for part in ended if part is not None]

    def _making_parts(self, job: JobType, count: int) -> contextlib.AbstractContextManager[Any]:
        if self.job.parts_total >= count:
            # They were made in an earlier turn: this one only collects them.
            return contextlib.nullcontext()
        return self.tracing.enqueue(str(job.queue), job.name, count=count - self._parts_before)

    async def wait_for(self, event: str, timeout_s: float, *, question: str = "") -> Any:
        """The body of an event from outside; the job is put aside until it comes."""
        check_wait(self.job_id, is_part=bool(self.job.parent), event=event, timeout_s=timeout_s)
        await self.flush()
        message = question[:QUESTION_MAX] or f"Waits for the event {event}"
        outcome, body = await self.runtime.store.until_back.awaited(
            self.job, event, math.ceil(timeout_s * 1000), question[:QUESTION_MAX], message
        )
        if outcome == "waits":
            raise PutAside
        if outcome == "late":
            raise event_timed_out(event, timeout_s)
        return msgspec.json.decode(body)

    async def then(self, job: JobType, payload: Payload, units: int = 0) -> str:
        """Start another job with this one's completion. Returns its id."""
        job_id = f"{job.name}-{secrets.token_hex(10)}"
        with self.tracing.enqueue(str(job.queue), job.name, job_id=job_id):
            # Its payload is stored with the completion: this attempt may take days, or fail.
            self.following.append(await self._request(job, payload, units, job_id=job_id))
        return job_id

    async def _request(self, job: JobType, payload: Payload, units: int, *, job_id: str, part: int = 0) -> NewJob:
        return await self.runtime.enqueuer.unstored_request(
            job,
            payload,
            job_id=job_id,
            owner=self.owner,
            priority=self.job.priority,
            weight=self.job.weight,
            units=units,
            parent=self.job.id if part else "",
            part=part,
        )

    def use(self, port: type[T]) -> T:
        """The implementation of a protocol of tasks/ports/. Raises KeyError for one without an implementation."""
        return cast(T, self.runtime.ports[port])

    def service(self, name: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Use an external service within the block, once its bounds over all workers allow it."""
        return self.runtime.gate.use(name, self.job.id, root=self.job.parent or "", timed_out=self.timed_out)

    def log(self, event: str, /, **fields: Any) -> None:
        """One line in the log, with the job's id and attempt."""
        named = {f"{name}_" if name in LINE_FIELDS else name: value for name, value in fields.items()}
        log.info(event, job=self.job.id, attempt=self.job.attempt, **named)

    async def close(self) -> None:
        """Stop the timer and remove the scratch folder."""
        await self._throttled.close()
        if self._scratch:
            await asyncio.to_thread(self._scratch.remove)


def part_result(part: Job, before: int = 0) -> PartResult:
    """A part's record as its parent's task sees it; `before` it are so many parts of other groups."""
    payload = msgspec.convert(part.payload, REGISTRY[part.type].payload)
    return PartResult(part.part - before, str(part.state), part.result, part.error, payload)
