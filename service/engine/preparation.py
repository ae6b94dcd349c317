"""`Preparation`: the request to the store of a job that is asked for, with its estimate and within its owner's limits."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Unpack

from service.engine.estimates import Estimate, Estimator
from service.engine.job_requests import Accepted, Given, JobRequest, lateness, request_fingerprint, set_terms, weigh
from service.engine.outcomes import EnqueueOutcome
from service.engine.plans import LimitsOf, mails_of, over_mails
from service.engine.redis.away import QueueServerAway
from service.engine.store import IdempotencyConflict, OverLimit, Queued, TooManyQueued
from service.engine.store.run_history import ORIGIN
from service.engine.store.script_inputs import Idem, NewJob, Permits, new_job
from service.engine.terms import to_ms
from service.engine.tracing import Tracing
from service.lib.clock import now_ms
from settings.plans import Limits
from settings.queues import Queue, QueueSettings
from tasks.sdk.types import JobType, Payload

RETRY_AFTER_S = 30
"""Retry-After in seconds for a client over its limit: long enough for some of its jobs to have ended."""

KEY_HOLDS_S = 86_400
"""Seconds for which an Idempotency-Key holds unless more is asked for: longer than a client repeats one request."""

Refusal = IdempotencyConflict | OverLimit | QueueServerAway


@dataclass(frozen=True)
class Prepared:
    """A request with its estimate, its client's Idempotency-Key and the limits that bound it."""

    request: NewJob
    estimate: Estimate
    key: str
    warning: str | None
    limits: Limits
    owner_limit: int
    """Jobs of one owner that may wait in its queue, whatever the owner's plan."""

    def accepted(self, reply: Queued) -> Accepted:
        return Accepted(reply.job_id, reply.state, self.estimate.seconds, self.estimate.words, self.warning)

    def refusal(self, reply: Queued) -> Refusal | None:
        """The error of one that the store did not queue."""
        if reply.outcome is EnqueueOutcome.CONFLICT:
            return IdempotencyConflict(self.key, reply.job_id)
        if reply.outcome is EnqueueOutcome.FULL:
            limit = int(self.request.limit)
            planned = limit == self.limits.values.queued_jobs and limit < self.owner_limit
            return TooManyQueued(limit, RETRY_AFTER_S, self.limits.allows("queued_jobs") if planned else "")
        if reply.outcome is EnqueueOutcome.AWAY:
            return QueueServerAway(reply.job_id)
        if reply.outcome is EnqueueOutcome.OVER and isinstance(self.request.permits, Permits):
            return over_mails(self.limits, self.request.permits.count, int(reply.job_id))
        return None


class Preparation:
    """Requests for jobs of declared types, by the settings of their queues and the plans of their owners."""

    def __init__(
        self, estimator: Estimator, queues: Mapping[Queue, QueueSettings], tracing: Tracing, limits_of: LimitsOf
    ) -> None:
        self.estimator = estimator
        self.queues = queues
        self.tracing = tracing
        self.limits_of = limits_of

    async def bounded(self, job: JobRequest, owner: str) -> Prepared:
        """The request of a job that a client asks for, bounded by its owner's limits."""
        estimate, limits = await self.estimator.estimate(job.job_type, job.units), await self.limits_of(owner)
        due_ms, priority = to_ms(job.terms.schedule_at), limits.priority(job.priority)
        owner_limit, planned = self.queues[job.job_type.queue].owner_limit, limits.values.queued_jobs
        request = self._estimated(job.job_type, job.payload, owner, priority, job.units, estimate, limits, due_ms)
        request.limit = owner_limit if planned is None else min(owner_limit, planned)
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
        warning = " ".join(filter(None, warnings)) or None
        return Prepared(request, estimate, job.idempotency_key or "", warning, limits, owner_limit)

    async def alike(self, job_type: JobType, *, owner: str, priority: str, units: int) -> Callable[[Payload], NewJob]:
        """A function that makes the request of one of many jobs, from its payload. Their number is not bounded."""
        estimate, limits = await self.estimator.estimate(job_type, units), await self.limits_of(owner)
        priority = limits.priority(priority)
        return lambda payload: self._estimated(job_type, payload, owner, priority, units, estimate, limits, 0)

    async def unbounded(self, job_type: JobType, payload: Payload, **given: Unpack[Given]) -> NewJob:
        """A request with its measured cost, for the store to write without the owner's limit."""
        cost_ms = await self.estimator.cost_ms(job_type, given.get("units", 0))
        if "weight" not in given:
            limits = await self.limits_of(given["owner"])
            given["weight"] = limits.values.weight
            given["priority"] = limits.priority(given.get("priority", "normal"))
        return self._new_job(job_type, payload, cost_ms=cost_ms, **given)

    def _estimated(
        self,
        job_type: JobType,
        payload: Payload,
        owner: str,
        priority: str,
        units: int,
        estimate: Estimate,
        limits: Limits,
        due_ms: int,
    ) -> NewJob:
        given = Given(owner=owner, priority=priority, units=units, due_ms=due_ms, weight=limits.values.weight)
        request = self._new_job(job_type, payload, cost_ms=estimate.cost_ms, **given)
        begin_ms = max(due_ms, now_ms() + estimate.wait_ms)
        request.fields += ["expected_ms", begin_ms + estimate.cost_ms]
        return request

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
