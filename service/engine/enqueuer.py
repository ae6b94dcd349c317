"""`Enqueuer`: puts jobs into the queue. Record, indexes and arq entry are written in one transaction, or not at all."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Unpack

import msgspec

from service.engine.batching import Batcher
from service.engine.estimates import Estimate, Estimator
from service.engine.job_requests import (
    Accepted,
    Given,
    JobRequest,
    Step,
    lateness,
    request_fingerprint,
    set_terms,
    weigh,
)
from service.engine.outcomes import EnqueueOutcome
from service.engine.payload_files import Moved, PayloadFiles
from service.engine.plans import LimitsOf, mails_of, over_mails, without_plans
from service.engine.redis.away import QueueServerAway
from service.engine.store import IdempotencyConflict, OverLimit, Queued, Store, TooManyQueued
from service.engine.store.run_history import ORIGIN
from service.engine.store.script_inputs import Idem, NewJob, Permits, new_job
from service.engine.store.workflows import as_record
from service.engine.terms import NO_TERMS, Terms, to_ms
from service.engine.tracing import NO_TRACING, Tracing
from service.lib.clock import now_ms
from service.lib.text import listed
from settings.plans import Limits
from settings.queues import Queue, QueueSettings
from tasks.sdk.types import JobType, Payload

RETRY_AFTER_S = 30
"""Retry-After in seconds for a client over its limit: long enough for some of its jobs to have ended."""

KEY_HOLDS_S = 86_400
"""Seconds for which an Idempotency-Key holds unless more is asked for: longer than a client repeats one request."""

BATCH = 500
"""Jobs one script call writes: a few milliseconds of the server's time, so that other clients hardly wait."""


Refusal = IdempotencyConflict | OverLimit | QueueServerAway


@dataclass(frozen=True)
class _Prepared:
    """A request with its estimate and its client's Idempotency-Key."""

    request: NewJob
    estimate: Estimate
    key: str
    warning: str | None
    limits: Limits

    def accepted(self, reply: Queued) -> Accepted:
        return Accepted(reply.job_id, reply.state, self.estimate.seconds, self.estimate.words, self.warning)


class Enqueuer:
    """Queues jobs of declared types.

    `queues` has the settings of every queue, `limits_of` the limits of an owner's plan; by default owners have none.
    `payloads` takes those that are too large for a record; without it records hold them all.
    """

    def __init__(
        self,
        store: Store,
        queues: Mapping[Queue, QueueSettings],
        tracing: Tracing = NO_TRACING,
        limits_of: LimitsOf = without_plans,
        payloads: PayloadFiles | None = None,
    ) -> None:
        self.store = store
        self.queues = queues
        self.tracing = tracing
        self.limits_of = limits_of
        self.payloads = payloads
        self.estimator = Estimator(store)
        # Many requests at once share a script call.
        self.batchers: dict[Store, Batcher[NewJob, Queued]] = {}
        """One for each server: a server that does not answer keeps no other's requests waiting."""

    async def enqueue(
        self,
        job_type: JobType,
        payload: Payload,
        *,
        owner: str,
        priority: str = "normal",
        schedule_at: datetime | None = None,
        terms: Terms = NO_TERMS,
        idempotency_key: str | None = None,
        units: int = 0,
        origin: str | None = None,
        mails: int = 0,
    ) -> Accepted:
        """Queue one job. `units` is its amount of work (pages, rows, recipients), for estimates; `origin` is the id of
        the job that it repeats, `mails` the number of messages that it sends.

        Raises IdempotencyConflict when the key belongs to another request, OverLimit over a limit of the owner's.
        """
        with self.tracing.enqueue(str(job_type.queue), job_type.name):
            if schedule_at:
                terms = msgspec.structs.replace(terms, schedule_at=schedule_at)
            job = JobRequest(job_type, payload, priority, terms, idempotency_key, units, origin, mails=mails)
            prepared = await self._prepare(job, owner)
            moved = await self.move_out([prepared.request])
            reply = await self._batcher(prepared.request.queue)(prepared.request)
            await self._settle(moved, [prepared.request], [reply])
            refusal = self._refusal(prepared, reply)
            if refusal:
                raise refusal
            self.tracing.enqueued(reply.job_id)
            return prepared.accepted(reply)

    async def move_out(self, requests: Sequence[NewJob]) -> Sequence[Moved]:
        """Store the payloads that are too large for a record. Raises what the storage raises: then nothing is queued."""
        return await self.payloads.move_out(requests, self.store) if self.payloads else ()

    async def _settle(self, moved: Sequence[Moved], requests: Sequence[NewJob], replies: Sequence[Queued]) -> None:
        if moved and self.payloads:
            by_id = dict(zip([one.id for one in requests], replies, strict=True))
            await self.payloads.settle(moved, by_id)

    def _batcher(self, queue: str) -> Batcher[NewJob, Queued]:
        server = self.store.of_queue(queue)
        if server not in self.batchers:
            self.batchers[server] = Batcher(self.store.queued)
        return self.batchers[server]

    async def enqueue_together(
        self, jobs: Sequence[JobRequest], *, owner: str, all_or_nothing: bool
    ) -> list[Accepted | Refusal | None]:
        """Queue up to BATCH × 2 jobs of any types in one script call; returns the outcome of each, in order.

        With `all_or_nothing` one that is refused keeps all others from being queued; these are None.
        """
        prepared = [await self._prepare(job, owner) for job in jobs]
        requests = [one.request for one in prepared]
        moved = await self.move_out(requests)
        replies = await self.store.queued_apart(requests, together=all_or_nothing)
        await self._settle(moved, requests, replies)
        return [
            self._refusal(one, reply) or (None if reply.outcome is EnqueueOutcome.HELD else one.accepted(reply))
            for one, reply in zip(prepared, replies, strict=True)
        ]

    async def enqueue_workflow(
        self,
        steps: Sequence[Step],
        *,
        workflow_id: str,
        owner: str,
        goes_on: bool,
        key: str,
        fingerprint: str,
        callback_url: str = "",
    ) -> Mapping[str, str]:
        """Queue jobs that come after each other, all or nothing; returns their ids by name. Those without a job before
        them may start at once, the others once those before them have completed, or ended where the workflow `goes_on`.

        A workflow of that id and fingerprint that is there already is the one that is meant. Raises IdempotencyConflict
        for one of another fingerprint, OverLimit over a limit of the owner's.
        """
        prepared = {step.name: await self._prepare(step.job, owner) for step in steps}
        ids = {name: one.request.id for name, one in prepared.items()}
        for step in steps:
            request = prepared[step.name].request
            request.workflow = workflow_id
            request.find.append(f"workflow:{workflow_id}")
            request.followers = [ids[other.name] for other in steps if step.name in other.after] or False
            if goes_on:
                request.fields += ["goes_on", 1]
            if step.after:
                request.after = len(step.after)
                request.fields += ["message", f"Waits for {listed(step.after)}"]
        record = as_record(
            owner, goes_on, {step.name: (ids[step.name], list(step.after)) for step in steps}, callback_url
        )
        requests = [one.request for one in prepared.values()]
        moved = await self.move_out(requests)
        replies = await self.store.workflow_queued(workflow_id, requests, fingerprint, record)
        # One reply stands for all where the workflow is there already.
        await self._settle(moved, requests, replies if len(replies) == len(requests) else replies * len(requests))
        if replies[0].outcome is EnqueueOutcome.CONFLICT:
            raise IdempotencyConflict(key, workflow_id)
        if replies[0].outcome is EnqueueOutcome.SAME:
            stored = await self.store.workflow(workflow_id)
            return {name: job_id for name, (job_id, _) in stored.jobs.items()} if stored else {}
        for one, reply in zip(prepared.values(), replies, strict=True):
            if refusal := self._refusal(one, reply):
                raise refusal
        return ids

    async def _prepare(self, job: JobRequest, owner: str) -> _Prepared:
        """The request of a job that a client asks for, bounded by its owner's limits."""
        estimate, limits = await self.estimator.estimate(job.job_type, job.units), await self.limits_of(owner)
        due_ms, priority = to_ms(job.terms.schedule_at), limits.priority(job.priority)
        request = self._request(job.job_type, job.payload, owner, priority, job.units, estimate, due_ms)
        bounds = [self.queues[job.job_type.queue].owner_limit, limits.values.queued_jobs]
        request.limit = min(bound for bound in bounds if bound is not None)
        weigh(request, limits.values.weight)
        if job.mails and (mails := mails_of(owner, limits)):
            request.permits = mails.permits(job.mails)
        request.id = job.job_id or request.id
        set_terms(request, job.terms)
        if job.idempotency_key:
            fingerprint = request_fingerprint(job.job_type, job.payload, job.priority, due_ms, job.terms)
            for_s = job.idempotency_for_s or KEY_HOLDS_S
            request.idem = Idem(job.idempotency_key, fingerprint, for_s, lasting=job.idempotency_for_s is not None)
        if job.origin:
            request.fields += [ORIGIN, job.origin]
            request.find.append(f"{ORIGIN}:{job.origin}")
        warnings = [lateness(job.terms, max(due_ms, now_ms() + estimate.wait_ms) + estimate.cost_ms)]
        if priority != job.priority:
            warnings.append(f"It is queued at {priority} priority, the highest of your plan {limits.plan}.")
        return _Prepared(request, estimate, job.idempotency_key or "", " ".join(filter(None, warnings)) or None, limits)

    def _refusal(self, prepared: _Prepared, reply: Queued) -> Refusal | None:
        request, limits = prepared.request, prepared.limits
        if reply.outcome is EnqueueOutcome.CONFLICT:
            return IdempotencyConflict(prepared.key, reply.job_id)
        if reply.outcome is EnqueueOutcome.FULL:
            limit = int(request.limit)
            planned = limit == limits.values.queued_jobs and limit < self.queues[Queue(request.queue)].owner_limit
            return TooManyQueued(limit, RETRY_AFTER_S, limits.allows("queued_jobs") if planned else "")
        if reply.outcome is EnqueueOutcome.AWAY:
            return QueueServerAway(reply.job_id)
        if reply.outcome is EnqueueOutcome.OVER and isinstance(request.permits, Permits):
            return over_mails(limits, request.permits.count, int(reply.job_id))
        return None

    async def enqueue_many(
        self, job_type: JobType, payloads: Sequence[Payload], *, owner: str, priority: str = "normal", units: int = 0
    ) -> list[str]:
        """Queue many jobs of one type, one round trip per BATCH, without the owner's limit. Returns their ids in order.

        `units` is the work of each job, for the estimate; 0 where that is not known. A `priority` above the owner's plan is
        lowered to it.
        """
        with self.tracing.enqueue(str(job_type.queue), job_type.name, count=len(payloads)):
            estimate = await self.estimator.estimate(job_type, units)
            limits = await self.limits_of(owner)
            priority = limits.priority(priority)
            ids: list[str] = []
            under_way: asyncio.Task[list[Queued]] | None = None
            for start in range(0, len(payloads), BATCH):
                batch = [
                    self._request(job_type, payload, owner, priority, units, estimate, 0)
                    for payload in payloads[start : start + BATCH]
                ]
                for request in batch:
                    weigh(request, limits.values.weight)
                await self.move_out(batch)
                # The next batch is put together while the server writes this one; the order stays.
                if under_way is not None:
                    ids += [reply.job_id for reply in await under_way]
                under_way = asyncio.create_task(self.store.queued(batch))
                await asyncio.sleep(0)
            if under_way is not None:
                ids += [reply.job_id for reply in await under_way]
            return ids

    def _request(
        self,
        job_type: JobType,
        payload: Payload,
        owner: str,
        priority: str,
        units: int,
        estimate: Estimate,
        due_ms: int,
    ) -> NewJob:
        request = self._new_job(
            job_type, payload, owner=owner, priority=priority, units=units, cost_ms=estimate.cost_ms, due_ms=due_ms
        )
        begin_ms = max(due_ms, now_ms() + estimate.wait_ms)
        request.fields += ["expected_ms", begin_ms + estimate.cost_ms]
        return request

    async def request(self, job_type: JobType, payload: Payload, **given: Unpack[Given]) -> NewJob:
        """A new job of a declared type, for the store to write, with its measured cost and the current trace. Its payload is
        stored where it is too large for a record."""
        request = await self.unstored_request(job_type, payload, **given)
        await self.move_out([request])
        return request

    async def unstored_request(self, job_type: JobType, payload: Payload, **given: Unpack[Given]) -> NewJob:
        """As `request`, for a job that is not queued soon: `move_out` comes right before that, or a clean-up of the storage
        finds a file that no record names."""
        cost_ms = await self.estimator.cost_ms(job_type, given.get("units", 0))
        if "weight" not in given:
            limits = await self.limits_of(given["owner"])
            given["weight"] = limits.values.weight
            given["priority"] = limits.priority(given.get("priority", "normal"))
        return self._new_job(job_type, payload, cost_ms=cost_ms, **given)

    def _new_job(self, job_type: JobType, payload: Payload, *, cost_ms: int, **given: Unpack[Given]) -> NewJob:
        job_id = given.get("job_id") or f"{job_type.name}-{secrets.token_hex(10)}"
        request = new_job(
            job_type,
            payload,
            job_id=job_id,
            owner=given["owner"],
            priority=given.get("priority", "normal"),
            retries=self.retries_of(job_type),
            cost_ms=cost_ms,
            units=given.get("units", 0),
            due_ms=given.get("due_ms", 0),
            parent=given.get("parent", ""),
            part=given.get("part", 0),
        )
        request.fields += self.tracing.trace_fields()
        weigh(request, given.get("weight", 1.0))
        return request

    def retries_of(self, job_type: JobType) -> int:
        """Retries that a job of the type gets: its own, or its queue's."""
        return job_type.retries if job_type.retries is not None else self.queues[job_type.queue].retries
