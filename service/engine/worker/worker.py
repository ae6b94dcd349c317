"""`OffloadWorker`: what the stock `arq` command runs once tasks/workers.py has put it in the place of arq's own worker.

arq keeps its command line, settings classes, cron declarations and signal handling; claiming, leases, outcomes and
surviving the loss of Redis are ours. docs/decisions/worker.md says which of arq's behaviours this replaces, and why.
"""

import asyncio
import contextlib
import signal
import time
from datetime import datetime
from typing import Any

import structlog
from arq.worker import Worker
from redis.exceptions import RedisError

from service.engine.batching import Batcher
from service.engine.outcomes import OutcomeKind, StopReason
from service.engine.redis.command_connection import CommandConnection
from service.engine.runtime import Runtime
from service.engine.states import TERMINAL
from service.engine.store import Job, Store, channels
from service.engine.store.script_inputs import Outcome
from service.engine.worker.claims import POLL_S, Claims
from service.engine.worker.execution import Execution
from service.engine.worker.external_jobs import import_jobs
from service.engine.worker.failures import sentence
from service.engine.worker.heartbeat import BEAT_S, Heartbeat
from service.engine.worker.leases import Leases
from service.engine.worker.listener import Alarm, Listener
from service.engine.worker.outages import Outages
from service.lib.async_tasks import end, pause
from service.lib.outages import outage_of
from service.lib.reminder import Reminder
from settings import Queue
from tasks.sdk.arq_cron import Slot

log = structlog.get_logger("offload.worker")

OUTCOMES_MAX = 500
"""Outcomes in one call: some tens of milliseconds of the server's time, when many have gathered while it was away."""

HALF_FROM = 16
"""Jobs that are claimed at once whatever the number of slots: fewer would cost more calls than they save."""


class OffloadWorker(Worker):
    """One queue's worker. `on_startup` must put `runtime`, `cpu_pool`, the exit stack `stack` and `probes`
    (worker/outages.py) into `ctx`, and may put a `self_check` (worker/self_check.py) there."""

    runtime: Runtime
    store: Store
    leases: Leases
    claims: Claims
    outcomes: Batcher[Outcome, str]
    heartbeat: Heartbeat
    listener: Listener
    outages: Outages

    async def main(self) -> None:
        """Claim and run jobs until asked to stop; then let them finish, and return what does not in time."""
        self.stopping = asyncio.Event()
        self.work, self.report_now = Alarm(), Alarm()
        self.away = Reminder()
        if self.on_startup:
            await self.on_startup(self.ctx)
        self.runtime = self.ctx["runtime"]
        # All that concerns its own jobs is on its queue's server.
        self.store = self.runtime.store.of_queue(self.queue_name)
        self._pool = self.ctx["redis"] = redis = self.store.redis
        self.leases = Leases(self.store, self.queue_name, self.runtime.settings.lease_s)
        # A connection each: outcomes travel while the next jobs are claimed.
        url = self.runtime.settings.server_of(self.queue_name)
        claiming, settling = CommandConnection(url), CommandConnection(url)
        self.ctx["stack"].push_async_callback(claiming.aclose)
        self.ctx["stack"].push_async_callback(settling.aclose)
        self.outages = Outages(self.store, self.queue_name, self.ctx["probes"], self.work)
        self.ctx["stack"].push_async_callback(self.outages.close)
        settled = Store(redis, settling, breakers=self.runtime.gate.breakers).until_back.settled
        self.outcomes = Batcher(self.runtime.enqueuer.store.settling(self.store, settled), OUTCOMES_MAX)
        self.heartbeat = Heartbeat(
            self.store.worker_reports, self.queue_name, self.max_jobs, self.ctx["cpu_pool"], self.ctx.get("sandbox")
        )
        worker_id = self.heartbeat.info.id
        # Where the queue has a rate of its own, its tasks meter messages; a rate set at run time bounds those, not jobs.
        rated = not self.runtime.settings.queues[Queue(self.queue_name)].rate_per_minute
        store = Store(redis, claiming)
        self.claims = Claims(store, self.queue_name, worker_id, self.leases, rated=rated, dispatched=not self.burst)
        self.listener = Listener(
            url, self.queue_name, worker_id, self.work, self._cancel, self._start_dispatched, self._command
        )
        if not await self._reach_redis():
            return
        log.info("worker.ready", id=worker_id, jobs_at_once=self.max_jobs, types=sorted(self.claims.known))
        async with self._helpers():
            await self._claim_until_stopped()
            await self._decline_further()
            await self._drain()

    async def _reach_redis(self) -> bool:
        """Wait for the server, whose clock is then this process's. False where the worker is asked to stop before."""
        while not self.stopping.is_set():
            try:
                await self.store.sync_clock()
            except (RedisError, OSError) as error:
                if self.away.due():
                    log.warning("worker.redis_away", error=sentence(error))
                await self.work.wait(1.0)
            else:
                self._redis_back()
                return True
        return False

    @contextlib.asynccontextmanager
    async def _helpers(self) -> Any:
        check = self.ctx.get("self_check")
        helpers = [
            asyncio.create_task(helper)
            for helper in (
                self.listener.listen_forever(),
                self.leases.renew_forever(),
                self._beat_forever(),
                self._cron_forever(),
                *([check.run_forever(self.ctx["cpu_pool"], self.heartbeat.info)] if check else []),
            )
        ]
        try:
            yield
        finally:
            await end(*helpers)

    async def _claim_until_stopped(self) -> None:
        while not self.stopping.is_set():
            self.work.clear()
            want = self._wanted()
            claimed, wait_s = 0, POLL_S
            if want > 0:
                try:
                    claimed, wait_s = await self._claim(want)
                except (RedisError, OSError) as error:
                    self._redis_away(error)
                    wait_s = 0.1
            if self.burst and not self.tasks and not claimed and not await self.store.waiting_entries(self.queue_name):
                return
            if claimed < want or want == 0:
                await self.work.wait(wait_s)

    def _wanted(self) -> int:
        """Number of jobs to claim. One whose task is over needs its slot no more, though its outcome still travels.

        Half the slots at a time, where there are many: the server leases one half while the other half runs.
        """
        return min(self._free(), max(HALF_FROM, self.max_jobs // 2))

    def _free(self) -> int:
        if self.quiet or self.outages.holding:
            return 0
        running = sum(not execution.reporting for execution in self.leases.held.values())
        return min(self.max_jobs - running, 2 * self.max_jobs - len(self.tasks))

    async def _claim(self, want: int) -> tuple[int, float]:
        """Claim up to `want` jobs and start them. Returns (how many, seconds until something is due)."""
        claim = await self.claims.up_to(want, channel_alive=self.listener.channel_alive)
        self._redis_back()
        # Counted once for all of them: each takes one.
        free = self._free()
        for number, job in enumerate(claim.jobs):
            self._start_leased(job, claim.until_s, room=number < free)
        if claim.external:
            return len(claim.jobs), await self._import(claim.external)
        return len(claim.jobs), claim.wait_s

    async def _import(self, job_ids: list[str]) -> float:
        """Make records for jobs of plain arq clients. Returns the seconds until the next claim."""
        try:
            await import_jobs(self.store, self.runtime.enqueuer, self.queue_name, job_ids)
        except Exception as error:
            # Where a payload is too large for a record and the storage is away, the entries wait for it too.
            outage = outage_of(error)
            if outage is None:
                raise
            self.outages.met(outage)
            return POLL_S
        return 0.0

    def _cancel(self, job_id: str) -> None:
        self.leases.stop(job_id, StopReason.CANCELLED)

    quiet = False

    def _command(self, command: bytes) -> None:
        """Do what an operator asks for, and report it immediately."""
        log.info("worker.command", command=command.decode())
        if command != channels.STOP:
            self.quiet = command == channels.QUIET
            self.work.set()
        elif not self.stopping.is_set():
            self.handle_sig_wait_for_completion(signal.SIGTERM)
        self.report_now.set()

    def _start_dispatched(self, job: Job) -> None:
        """Start a job that was leased to this worker as it was enqueued. Its message may have lain unread for a while."""
        self._start_leased(job, self.leases.until_s(job.started_ms or job.created_ms), room=self._free() > 0)

    def _start_leased(self, job: Job, until_s: float, *, room: bool) -> None:
        """Start a job that is leased to this worker until `until_s` (monotonic), where it has `room` for it."""
        if self.stopping.is_set() or not room:
            fields = ["message", "Returned to the queue by a worker that had no free slot"]
            self._report(Outcome(job.id, job.queue, job.fence, OutcomeKind.HANDBACK, fields))
        else:
            self._start(job, until_s)

    async def _decline_further(self) -> None:
        """Decline further jobs: one that is dispatched to a worker that is gone waits until its lease runs out."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            if await self.claims.decline():
                async with asyncio.timeout(1):
                    await self.listener.declined.wait()

    def _start(self, job: Job, until_s: float) -> None:
        job_type, pool = self.claims.known[job.type], self.ctx["cpu_pool"]
        execution = Execution(job, job_type, self.runtime, pool, self._report, self.outages, leased_until_s=until_s)
        self.leases.held[job.id] = execution
        task = self.loop.create_task(execution.process())
        self.tasks[job.id] = task
        task.add_done_callback(lambda done: self._ended(job.id, execution, done))

    def _report(self, outcome: Outcome) -> "asyncio.Future[str]":
        self.work.set()
        return self.outcomes.soon(outcome)

    def _ended(self, job_id: str, execution: Execution, task: "asyncio.Task[str]") -> None:
        if self.leases.held.get(job_id) is execution:
            del self.leases.held[job_id]
            del self.tasks[job_id]
        self.work.set()
        state = "lost" if task.cancelled() or task.exception() else task.result()
        if not task.cancelled() and (error := task.exception()):
            log.error("job.execution_broke", job=job_id, exc_info=error)
        if state in TERMINAL:
            self.outages.forget(job_id)
        self.heartbeat.info.processed += state == "completed"
        self.heartbeat.info.failed += state == "failed"
        self.jobs_complete, self.jobs_failed = self.heartbeat.info.processed, self.heartbeat.info.failed
        self.jobs_retried += state == "retrying"

    def _redis_away(self, error: Exception) -> None:
        if self.away.due():
            log.warning("worker.redis_away", error=sentence(error))
        self.leases.trouble()

    def _redis_back(self) -> None:
        if self.away.lasting and self.away.over():
            log.info("worker.redis_back")

    async def _beat_forever(self) -> None:
        while True:
            self.heartbeat.mark()
            self.report_now.clear()
            self.heartbeat.info.stopping, self.heartbeat.info.quiet = self.stopping.is_set(), self.quiet
            with contextlib.suppress(RedisError, OSError):
                await self.heartbeat.beat(list(self.tasks), health_key=self.health_check_key)
            await pause(0)
            await self.report_now.wait(BEAT_S)

    async def _cron_forever(self) -> None:
        # The maintenance leader fires declared schedules, and also those slots that no process was running for.
        self.cron_jobs = [one for one in self.cron_jobs if not isinstance(one, Slot)]
        while self.cron_jobs:
            with contextlib.suppress(RedisError, OSError):
                await self.run_cron(datetime.now(tz=self.timezone), 0.5)
            await pause(0.5)

    def handle_sig_wait_for_completion(self, signum: signal.Signals) -> None:
        """SIGTERM and SIGINT: stop claiming, give running jobs the grace time. A second one cuts the grace short."""
        if self.stopping.is_set():
            self.leases.stop_all(StopReason.SHUTDOWN)
            return
        log.info(
            "worker.stopping",
            signal=signal.Signals(signum).name,
            running=len(self.tasks),
            grace_s=self._job_completion_wait,
        )
        self.stopping.set()
        self.work.set()

    handle_sig = handle_sig_wait_for_completion

    async def _drain(self) -> None:
        deadline_s = time.monotonic() + self._job_completion_wait
        while self.tasks and time.monotonic() < deadline_s:
            await asyncio.wait(list(self.tasks.values()), timeout=min(0.5, deadline_s - time.monotonic()))
        self.leases.stop_all(StopReason.SHUTDOWN)
        if self.tasks:
            await asyncio.wait(list(self.tasks.values()), timeout=self.leases.lease_ms / 1000)

    async def close(self) -> None:
        """Report this worker gone and close what start-up opened."""
        if self._pool is None:
            return
        with contextlib.suppress(RedisError, OSError):
            await self.heartbeat.gone()
            await self.pool.delete(self.health_check_key)
        if self.on_shutdown:
            await self.on_shutdown(self.ctx)
        self._pool = None
