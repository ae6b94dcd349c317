"""A store and its model side by side: `agree` says whether they do, and whether the keys are as they must be."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Job, LeaseLost, NoSuchJob, Store, WrongState
from service.engine.store.breakers import BreakerBounds
from service.engine.store.script_inputs import NewJob
from tests.engine.store.proof import arrows, clock
from tests.engine.store.proof.entry import Entry
from tests.engine.store.proof.found import Found, found
from tests.engine.store.proof.model import Model

T = TypeVar("T")

QUEUES = ("thumbnails", "pdf-processing")
TYPES = {"plain": QUEUES[0], "limited": QUEUES[0], "other": QUEUES[1]}
KNOWN = {"all": ["plain", "limited", "other"], "some": ["plain", "other"]}
LEASE_MS, SECOND, MINUTE = 10_000, 1_000, 60_000
LIMITS = {
    "": (),
    "file": (("limited:file:f", 1, 0, 0),),
    "owner and file": (("limited:owner:o", 2, 0, 0), ("limited:file:f", 1, 0, 0)),
    "rate": (("limited:host:h", 0, 2, MINUTE),),
    "both": (("limited:file:f", 1, 0, 0), ("limited:host:h", 2, 2, MINUTE)),
}
number = st.integers(0, 7)
owners, priorities = st.sampled_from(["acme", "globex"]), st.sampled_from(["high", "normal", "low"])
costs, types = st.sampled_from([50, 1_000, 90_000]), st.sampled_from(sorted(TYPES))
limits, waits = st.sampled_from(sorted(LIMITS)), st.sampled_from([0, 0, SECOND, MINUTE])
whens = st.sampled_from([None, None, None, SECOND, MINUTE])
kinds = st.sampled_from(["completed", "completed", "retry", "failed", "cancelled", "later", "handback", "suspend"])
events = st.sampled_from("ab")


class Bench(RuleBasedStateMachine):
    """A store, a model, and the question whether they agree."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = connect(self.url)
        self.store = Store(self.redis, breakers=BreakerBounds(3, MINUTE))
        self.model = Model(clock.START_MS, 3, MINUTE)
        self.held: list[tuple[Entry, Job]] = []
        """Every lease that a worker was ever given: a crash is that its worker does no more, and one may come back late."""
        self.made = 0
        self.compound = False
        self.run(self.redis.flushall())
        self.run(clock.set_clock(self.redis, self.model.now))
        self.before = self.read_all()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    def read_all(self) -> Found:
        return self.run(found(self.redis, self.model.now, QUEUES))

    def teardown(self) -> None:
        self.run(self.redis.aclose(close_connection_pool=True))
        self.loop.close()

    # What is there to be done something to

    def jobs(self, *states: str) -> list[Entry]:
        return [job for job in self.model.jobs.values() if not job.parent and (not states or job.state in states)]

    def pick(self, which: int, *states: str) -> Entry | None:
        jobs = self.jobs(*states)
        return jobs[which % len(jobs)] if jobs else None

    def lease(self, which: int) -> tuple[Entry, Job, bool]:
        """One of the last leases, with whether it is still held."""
        entry, job = self.held[-1 - which % len(self.held)]
        return entry, job, self.model.holds(entry, job.fence)

    def entry(self, name: str, owner: str, cost: int, limit: str = "", **more: Any) -> Entry:
        self.made += 1
        bounds = tuple(LIMITS[limit]) if name == "limited" else ()
        made = Entry(f"{name}-{self.made}", TYPES[name], name, owner, cost, 1, self.model.now, limits=bounds)
        for field, value in more.items():
            setattr(made, field, value)
        return made

    def new(self, job: Entry, priority: str = "normal", **more: Any) -> NewJob:
        words = " ".join("|".join(map(str, bound)) for bound in job.limits)
        return NewJob(
            id=job.id,
            queue=job.queue,
            type=job.type,
            owner=job.owner,
            priority=priority,
            cost=job.cost,
            due=job.due,
            fields=["payload", "{}", "retries", job.retries, *(["goes_on", 1] if job.goes_on else [])],
            find=[] if job.parent else [f"n:{self.made % 3}"],
            parent=job.parent.id if job.parent else "",
            limits=words or False,
            not_after=job.not_after,
            **more,
        )

    # What must hold

    def tried(self, call: Coroutine[Any, Any, T], allowed: bool) -> Any:
        """Result of a verb. Where the model says that it is refused: asserts that it was, and that nothing changed."""
        try:
            answer = self.run(call)
        except (WrongState, NoSuchJob, LeaseLost):
            assert not allowed, "it was refused"
            self.nothing_changed()
            return None
        assert allowed, "it was not refused"
        return answer

    def unchanged_unless(self, holds: bool) -> None:
        if not holds:
            self.nothing_changed()

    def nothing_changed(self) -> None:
        after = self.read_all()
        assert after.all == self.before.all, "what was refused, or done before, has changed something"

    @invariant()
    def agree(self) -> None:
        there = self.read_all()
        there.check()
        arrows.check(self.before, there, compound=self.compound)
        self.compound, self.before = False, there
        wanted = self.model.jobs
        assert set(there.jobs) == set(wanted), "jobs were lost, or came from nowhere"
        for job_id, entry in wanted.items():
            assert seen(there, job_id) == expected(entry), job_id
        counted = {key: n for key, n in there.counted().items() if key[1].rstrip("|/") in EVENTS and n}
        assert counted == {key: n for key, n in self.model.counts.items() if n}, "counters differ from what happened"


EVENTS = ("enqueued", "started", "completed", "failed", "cancelled", "expired", "retried", "requeued", "crashed")


def seen(there: Found, job_id: str) -> dict[str, Any]:
    job, raw = there.jobs[job_id], there.raw[job_id]
    deferred = job.state in (State.SCHEDULED, State.RETRYING)
    return {
        "state": str(job.state),
        "attempt": (job.attempt, job.tries_base, job.crashes, job.fence),
        "lease": there.set_of(job.queue)[job_id] if job_id in there.leases else 0,
        "marks": (job.cancel_requested, bool(job.deleted_ms), "resume" in raw),
        "due": (job.due_ms or 0) if deferred else 0,
        "terms": (job.estimated_ms, job.not_after_ms, job.limits),
        "waits for": max(0, job.waits_for),
    }


def expected(entry: Entry) -> dict[str, Any]:
    return {
        "state": entry.state,
        "attempt": (entry.attempt, entry.tries_base, entry.crashes, entry.fence),
        "lease": entry.lease_until,
        "marks": (entry.cancel, entry.deleted, entry.resumes),
        "due": entry.due if entry.state in ("scheduled", "retrying") else 0,
        "terms": (entry.cost, entry.not_after, " ".join("|".join(map(str, bound)) for bound in entry.limits)),
        "waits for": len(entry.after),
    }
