"""A worker's verbs over several servers: each goes to the server of its job's queue."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.engine.store.placed_reads import PlacedReads
from service.engine.store.records import Job
from service.engine.store.script_inputs import NO_OFFER, Claim, IdleOffer, NewJob, Outcome
from service.engine.store.worker_verbs import Claimed
from tasks.sdk.types import Meter


class PlacedVerbs(PlacedReads):
    """For code that has a job in hand and the store of all servers, as a running task does."""

    async def claimed(self, claim: Claim, offer: IdleOffer = NO_OFFER) -> Claimed:
        return await self.of_queue(claim.queue).claimed(claim, offer)

    async def offer_withdrawn(self, queue: str, worker: str) -> bool:
        return await self.of_queue(queue).offer_withdrawn(queue, worker)

    async def renewed(
        self, queue: str, lease_ms: int, held: Sequence[tuple[str, int] | tuple[str, int, int]]
    ) -> tuple[list[str], list[str]]:
        return await self.of_queue(queue).renewed(queue, lease_ms, held)

    async def progressed(
        self, job: Job, percent: int, message: str, data: dict[str, Any], units_done: int = -1
    ) -> None:
        await self.of_queue(job.queue).progressed(job, percent, message, data, units_done)

    async def checkpointed(self, job: Job, name: str, value: bytes) -> bytes:
        return await self.of_queue(job.queue).checkpointed(job, name, value)

    async def logged(self, job_id: str, lines: Sequence[bytes]) -> None:
        await (await self.of_job(job_id)).logged(job_id, lines)

    async def awaited(self, job: Job, event: str, timeout_ms: int, question: str, message: str) -> tuple[str, bytes]:
        return await self.of_queue(job.queue).awaited(job, event, timeout_ms, question, message)

    async def split(
        self, job: Job, parts: Sequence[NewJob], meter: Meter, units: int, group: int = 1
    ) -> tuple[int, list[str]]:
        return await self.of_queue(job.queue).split(job, parts, meter, units, group)

    async def settled(self, outcomes: Sequence[Outcome]) -> list[str]:
        return [(await self.of_queue(outcome.queue).settled([outcome]))[0] for outcome in outcomes]

    async def revised(self, job: Job, fields: Mapping[str, str], tags: Sequence[str]) -> bool:
        return await (await self.of_job(job.id)).revised(job, fields, tags)

    async def limits_checked(self, queue: str, at_most: int) -> int:
        return await self.of_queue(queue).limits_checked(queue, at_most)

    async def expired(self, at_most: int) -> int:
        return sum([await store.expired(at_most) for store in self.stores])
