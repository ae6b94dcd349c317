"""Outcomes travel together, and one that cannot be recorded takes no other with it."""

import asyncio

import msgspec

from service.engine.states import State
from service.engine.store.script_inputs import Outcome
from service.engine.worker.outcome_writer import Outcomes
from tests.engine import probe


async def test_a_poisonous_outcome_costs_only_itself(store, enqueuer) -> None:
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 3, owner="acme")
    known = msgspec.msgpack.encode(["probe-echo"])
    jobs = (await store.claimed("thumbnails", "w", 3, 10_000, known, reap=False)).jobs
    kinds = ["completed", "no such kind", "completed"]
    outcomes = Outcomes(store)
    sent = [outcomes.record(Outcome(job.id, job.queue, job.fence, kind)) for job, kind in zip(jobs, kinds, strict=True)]
    assert await asyncio.gather(*sent) == ["completed", "lost", "completed"]
    states = [(await store.present(job_id)).state for job_id in ids]
    assert states == [State.COMPLETED, State.ACTIVE, State.COMPLETED]
