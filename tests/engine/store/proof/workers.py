"""Whatever workers do: they claim, write, settle, fall silent and come back late, as time passes."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store.script_inputs import Claim, Outcome
from tasks.sdk import Meter
from tests.engine.store.proof import clock
from tests.engine.store.proof.bench import (
    KNOWN,
    LEASE_MS,
    MINUTE,
    QUEUES,
    SECOND,
    Bench,
    events,
    kinds,
    limits,
    number,
    types,
    waits,
)


class SentAtOnce(Outcome):
    """No time passes but the clock's."""

    def sent(self) -> None:
        self.waited_ms = 0


class Workers(Bench):
    @rule(
        queue=st.sampled_from(QUEUES),
        worker=st.sampled_from("AB"),
        slots=st.integers(1, 4),
        reap=st.booleans(),
        known=st.sampled_from(sorted(KNOWN)),
    )
    def claim(self, queue: str, worker: str, slots: int, reap: bool, known: str) -> None:
        model, until = self.model, self.model.now + LEASE_MS
        self.compound = True
        model.promoted(queue, reap)
        slots = model.slots(queue, slots)
        wanted = Claim(queue, worker, slots, LEASE_MS, msgspec.msgpack.encode(KNOWN[known]), reap=reap)
        given = self.run(self.store.claimed(wanted))
        there = self.read_all()
        for job in [job for job in model.jobs.values() if job.state == "queued" and model.late(job)]:
            if there.jobs[job.id].state == State.EXPIRED:
                model.expired(job)
        for record in given.jobs:
            entry = model.jobs[record.id]
            assert record.type in KNOWN[known] and record.worker == worker
            model.claimed(entry, until)
            self.held.append((entry, record))
        assert len(given.jobs) <= slots, "it got more than it asked for, or than the queue gives"
        if len(given.jobs) < slots:
            left = [job.id for job in model.ready(queue) if job.type in KNOWN[known]]
            assert not left, f"{left} could begin, and did not"

    @precondition(lambda self: self.held)
    @rule(which=number, kind=kinds, delay=waits, print=st.sampled_from([False, False, "x"]), chain=st.booleans())
    def settle(self, which: int, kind: str, delay: int, print: Any, chain: bool) -> None:
        entry, job, holds = self.lease(which)
        if kind == "retry" and entry.attempt - entry.tries_base > entry.retries:
            kind = "failed"
        error = kind in ("retry", "failed")
        fields = ["error", "no", "error_type", "E", "fingerprint", "x"] if error else []
        outcome = SentAtOnce(
            job.id,
            job.queue,
            job.fence,
            OutcomeKind(kind),
            fields=fields,
            delay_ms=delay,
            attempt={"number": job.attempt},
        )
        outcome.fingerprint = print if error and print else False
        if kind == "completed" and chain and not entry.parent:
            following = self.entry("other", entry.owner, 1_000)
            outcome.next = [self.new(following)]
            if holds:
                self.model.enqueued(following)
        expected = self.model.settled(entry, job.fence, kind, delay, outcome.fingerprint or "")
        assert self.run(self.store.settled([outcome])) == [expected]
        self.unchanged_unless(holds)
        if holds:
            self.agree()
            assert self.run(self.store.settled([outcome])) == ["lost"]
            self.nothing_changed()

    @precondition(lambda self: self.held)
    @rule(which=number)
    def renew(self, which: int) -> None:
        entry, job, holds = self.lease(which)
        lost, stop = self.run(self.store.renewed(job.queue, LEASE_MS, [(job.id, job.fence)]))
        assert (bool(lost), bool(stop)) == (not holds, holds and entry.cancel)
        if holds:
            entry.lease_until = self.model.now + LEASE_MS
        self.unchanged_unless(holds)

    @precondition(lambda self: self.held)
    @rule(which=number, what=st.sampled_from(["progress", "checkpoint"]))
    def write(self, which: int, what: str) -> None:
        _, job, holds = self.lease(which)
        if what == "progress":
            call: Any = self.store.progressed(job, 50, "half", {"n": 1})
        else:
            call = self.store.checkpointed(job, "name", b"value")
        self.tried(call, holds)

    @precondition(lambda self: self.held)
    @rule(which=number, count=st.integers(1, 3), name=types, limit=limits)
    def split(self, which: int, count: int, name: str, limit: str) -> None:
        entry, job, holds = self.lease(which)
        if entry.parent:
            return
        parts = [self.entry(name, entry.owner, 1_000, limit, parent=entry) for _ in range(len(entry.parts) or count)]
        news = [self.new(part) for part in parts]
        if holds:
            self.model.split(entry, parts)
        self.tried(self.store.split(job, news, Meter("done", "total", "{done}", 0, 100), count), holds)

    @precondition(lambda self: self.held)
    @rule(which=number, event=events, timeout=st.sampled_from([SECOND, MINUTE]))
    def wait_for(self, which: int, event: str, timeout: int) -> None:
        entry, job, holds = self.lease(which)
        if entry.parent:
            return
        answer = self.tried(self.store.awaited(job, event, timeout, "", f"Waits for {event}"), holds)
        if holds:
            assert answer[0] == self.model.waits(entry, event, timeout)

    @rule(ms=st.sampled_from([1, SECOND, 3 * SECOND, LEASE_MS, LEASE_MS + 1, MINUTE]))
    def time_passes(self, ms: int) -> None:
        self.model.now += ms
        self.run(clock.set_clock(self.redis, self.model.now))

    @rule(queue=st.sampled_from(QUEUES))
    def maintain(self, queue: str) -> None:
        self.model.swept()
        self.run(self.store.expired(100))
        assert self.run(self.store.limits_checked(queue, 100)) == 0
