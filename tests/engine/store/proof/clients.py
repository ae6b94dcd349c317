"""Whatever clients and operators do to jobs."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import rule

from service.engine.store.script_inputs import Idem
from tests.engine.store.proof.bench import (
    MINUTE,
    QUEUES,
    Bench,
    costs,
    events,
    limits,
    number,
    owners,
    priorities,
    types,
    waits,
    whens,
)
from tests.engine.store.proof.entry import ENDED, WAITING


class Clients(Bench):
    @rule(
        name=types, owner=owners, cost=costs, limit=limits, wait=waits, priority=priorities, last=whens, deadline=whens
    )
    def enqueue(
        self, name: str, owner: str, cost: int, limit: str, wait: int, priority: str, last: Any, deadline: Any
    ) -> None:
        now = self.model.now
        job = self.entry(name, owner, cost, limit, due=now + wait if wait else 0, not_after=last and now + wait + last)
        new = self.new(job, priority, idem=Idem(f"k{self.made}", "p", 86_400), deadline=deadline and now + deadline)
        self.model.enqueued(job)
        (answer,) = self.run(self.store.queued([new]))
        assert (answer.outcome, answer.job_id, answer.state) == ("new", job.id, job.state)
        self.agree()
        (again,) = self.run(self.store.queued([new]))
        assert (again.outcome, again.job_id) == ("same", job.id)
        self.nothing_changed()

    @rule(
        many=st.lists(st.tuples(owners, costs, limits, st.booleans()), min_size=1, max_size=3),
        kind=st.sampled_from(["unique", "unique for", "debounce", "throttle", "replace", "rerun"]),
        last=whens,
    )
    def request(self, many: list[tuple[str, int, str, bool]], kind: str, last: Any) -> None:
        """Requests that may be one job, several in one call as they come together."""
        terms = {"unique for": {"for_ms": MINUTE}, "debounce": {"delay": 2_000, "longest": 5_000}}
        news, expected, now = [], [], self.model.now
        for owner, cost, limit, first_key in many:
            job = self.entry("limited", owner, cost, limit, not_after=last and now + last)
            term = terms.get(kind, {"every": 3_000} if kind == "throttle" else {})
            key = "k" if first_key else "l"
            if kind.startswith("unique"):
                more: dict[str, Any] = {"unique": {"key": kind[7:] + key, "for_ms": term.get("for_ms")}}
                name, key = "unique", kind[7:] + key
            elif kind == "debounce":
                more = {"debounce": {"key": key, "delay_ms": term["delay"], "max_delay_ms": term["longest"]}}
                name = kind
            else:
                more = {"merge": {"kind": kind, "key": key} | ({"every_ms": term["every"]} if term else {})}
                name = kind
            # The request is written before the model says when it is due: the script has to find that out.
            news.append(self.new(job, **more))
            expected.append(self.model.request(job, name, key, **term))
        answers = self.run(self.store.queued(news))
        assert [answer.job_id for answer in answers] == [job.id for job in expected]

    @rule(owner=owners, at_most=st.integers(1, 3))
    def request_under_a_limit(self, owner: str, at_most: int) -> None:
        waiting = sum(job.owner == owner for job in self.jobs(*WAITING))
        job = self.entry("plain", owner, 1_000)
        if waiting < at_most:
            self.model.enqueued(job)
        (answer,) = self.run(self.store.queued([self.new(job, limit=at_most)]))
        assert answer.outcome == ("new" if waiting < at_most else "full")

    @rule(goes_on=st.booleans(), shape=st.sampled_from(["chain", "fan", "join"]), wait=waits, last=whens)
    def workflow(self, goes_on: bool, shape: str, wait: int, last: Any) -> None:
        first, second, third = (self.entry("plain", "acme", 1_000, goes_on=goes_on) for _ in range(3))
        second.due = self.model.now + wait if wait else 0
        third.not_after = last and self.model.now + last
        pairs = {"chain": ((0, 1), (1, 2)), "fan": ((0, 1), (0, 2)), "join": ((0, 2), (1, 2))}[shape]
        jobs = [first, second, third]
        for one, other in pairs:
            jobs[one].followers.append(jobs[other])
            jobs[other].after.append(jobs[one])
        name = f"flow-{self.made}"
        news = []
        for job in jobs:
            after = {"after": len(job.after)} if job.after else {}
            news.append(self.new(job, workflow=name, followers=[one.id for one in job.followers] or False, **after))
            self.model.enqueued(job)
        fields = {"owner": "acme", "jobs": msgspec.json.encode({job.id: (job.id, []) for job in jobs}).decode()}
        self.run(self.store.workflow_queued(name, news, "p", fields | {"goes_on": "1" if goes_on else ""}))

    @rule(which=number, event=events, body=st.sampled_from("12"))
    def send_event(self, which: int, event: str, body: str) -> None:
        if job := self.pick(which):
            self.tried(self.store.event_came(job.id, event, body.encode(), "me"), self.model.event(job, event, body))

    @rule(which=number, ended=st.booleans())
    def cancel(self, which: int, ended: bool) -> None:
        if job := self.pick(which, *(ENDED if ended else (*WAITING, "active"))):
            self.tried(self.store.cancel(job.id), self.model.cancel(job))

    @rule(which=number)
    def retry(self, which: int) -> None:
        if job := self.pick(which, *ENDED):
            self.tried(self.store.retry(job.id), self.model.retry(job))

    @rule(which=number, back=st.booleans())
    def bin(self, which: int, back: bool) -> None:
        if not (job := self.pick(which, *ENDED)):
            return
        if back:
            self.tried(self.store.restore(job.id), self.model.delete(job, False))
        else:
            self.tried(self.store.delete(job.id), self.model.delete(job))

    @rule(which=number)
    def purge(self, which: int) -> None:
        if job := self.pick(which, *ENDED):
            assert self.run(self.store.purged([job.id])) == int(self.model.purge(job))

    @rule(queue=st.sampled_from(QUEUES), how=st.sampled_from(["pause", "resume", "limit", "no limit"]))
    def hold(self, queue: str, how: str) -> None:
        controls, model = self.store.controls, self.model
        if how == "pause":
            self.run(controls.set(queue, "pause", reason="r", by="me"))
            model.paused.add(queue)
        elif how == "resume":
            self.run(controls.remove(queue, "pause"))
            model.paused.discard(queue)
            model.breakers.pop(queue, None)
        elif how == "limit":
            self.run(controls.set(queue, "limit", 2, reason="r", by="me"))
            model.bounds[queue] = 2
        else:
            self.run(controls.remove(queue, "limit"))
            model.bounds.pop(queue, None)
