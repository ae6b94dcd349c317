"""A model of the job store: what docs/states.md, docs/flow-control.md and docs/workflows.md say, with no index and no server.

It predicts what every verb does to every job. Only which of several ready jobs a claim takes is the store's own choice:
the model is told (`claimed`), and says whether that was allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.engine.store.proof.entry import ENDED, WAITING, Entry, next_fence
from tests.engine.store.proof.requests import Requests

CRASHES = 3
"""Crashes in a row that end a job."""

RECHECK_MS = 10_000
"""A sweep for jobs that are too late looks again after so long at one that has begun."""


@dataclass
class Breaker:
    print: str
    until: int
    wait: int
    canary: str = ""


class Model(Requests):
    def __init__(self, now: int, after: int, first_ms: int) -> None:
        super().__init__(now)
        self.starts: dict[str, list[int]] = {}
        self.paused: set[str] = set()
        self.bounds: dict[str, int] = {}
        self.after, self.first_ms = after, first_ms
        self.failing: dict[str, tuple[str, set[str]]] = {}
        self.breakers: dict[str, Breaker] = {}

    # Workers

    def room(self, job: Entry) -> bool:
        """True where each of its keys has room for one more job."""
        for key, at_once, starts, period in job.limits:
            active = sum(
                other.state == "active" and any(key == one[0] for one in other.limits) for other in self.jobs.values()
            )
            if at_once and active >= at_once:
                return False
            if starts and sum(at + period > self.now for at in self.starts.get(key, ())[-starts:]) >= starts:
                return False
        return True

    def late(self, job: Entry) -> bool:
        return job.not_after is not None and job.not_after < self.now

    def ready(self, queue: str) -> list[Entry]:
        """Jobs that a worker may begin, or go on with, each for itself."""
        return [
            job
            for job in self.jobs.values()
            if job.queue == queue
            and ((job.state == "active" and job.resumes) or (job.state == "queued" and self.room(job)))
        ]

    def promoted(self, queue: str, reap: bool) -> None:
        """Deferred jobs whose time has come, waits that are over, and leases that ran out."""
        for job in [job for job in self.jobs.values() if job.queue == queue]:
            if job.state in ("scheduled", "retrying") and job.due <= self.now and not job.after:
                job.state = "queued"
            elif job.state == "active" and job.lease_until:
                if reap and job.lease_until <= self.now:
                    self._crashed(job)
            elif job.state == "active" and not job.resumes and job.asks and job.until[job.asks] <= self.now:
                job.resumes = True

    def slots(self, queue: str, wanted: int) -> int:
        """Jobs that the queue gives a worker that wants some."""
        leased = [job for job in self.jobs.values() if job.queue == queue and job.lease_until]
        if queue in self.paused:
            return 0
        if queue in self.bounds:
            wanted = min(wanted, self.bounds[queue] - len(leased))
        if breaker := self.breakers.get(queue):
            trying = any(job.id == breaker.canary for job in leased)
            wanted = 0 if trying or breaker.until > self.now else min(wanted, 1)
        return max(0, wanted)

    def claimed(self, job: Entry, until: int) -> None:
        assert job in self.ready(job.queue), f"{job} may not begin"
        assert job.resumes or not self.late(job), f"{job} is too late to begin"
        if not job.resumes:
            job.attempt += 1
            job.first_started = job.first_started or self.now
            self.count(job, "started")
            for key, _, starts, _ in job.limits:
                if starts:
                    self.starts.setdefault(key, []).append(self.now)
        job.state, job.resumes, job.fence, job.lease_until = "active", False, next_fence(job.fence, self.now), until
        if (breaker := self.breakers.get(job.queue)) and not self.jobs.get(breaker.canary, job).lease_until:
            breaker.canary = job.id

    def holds(self, job: Entry, fence: int) -> bool:
        return self.jobs.get(job.id) is job and bool(job.lease_until) and job.fence == fence

    def _crashed(self, job: Entry) -> None:
        job.lease_until, job.crashes = 0, job.crashes + 1
        self.count(job, "crashed")
        if job.cancel:
            self._cancelled(job)
        elif job.crashes >= CRASHES or job.attempt - job.tries_base > job.retries:
            self._end(job, "failed")
        else:
            job.state = "queued"

    def settled(self, job: Entry, fence: int, kind: str, delay: int = 0, print: str = "") -> str:
        """The job's state afterwards, or `lost`."""
        if not self.holds(job, fence):
            return "lost"
        if print and not job.cancel and (breaker := self._failed(job, print)):
            kind, delay = "later", max(delay, breaker.until - self.now)
        job.lease_until = job.crashes = 0
        if job.cancel and kind not in ("completed", "failed", "cancelled"):
            kind = "cancelled"
        if kind == "cancelled":
            if job.parent and not job.cancel and job.wanted_again:
                job.wanted_again, job.state, job.tries_base = False, "queued", job.attempt
            else:
                self._cancelled(job)
        elif kind in ("completed", "failed"):
            self._end(job, kind)
            if kind == "completed":
                self.failing.pop(job.queue, None)
                self.breakers.pop(job.queue, None)
        elif kind == "suspend":
            job.resumes = not ((job.asks and job.asks not in job.events) or self.unfinished(job))
        else:
            self._put_back(job, kind, delay)
        return job.state

    def _put_back(self, job: Entry, kind: str, delay: int) -> None:
        job.attempt -= kind in ("later", "handback")
        job.due = self.now + delay
        if kind == "handback":
            job.state = "queued"
        elif job.not_after is not None and job.due > job.not_after:
            self.expired(job)
        else:
            job.state = "retrying"
            self.count(job, "retried", kind == "retry")

    def _failed(self, job: Entry, print: str) -> Breaker | None:
        """The queue's breaker where it is open for this error, or opens now."""
        if breaker := self.breakers.get(job.queue):
            if breaker.print != print:
                return None
            if breaker.canary == job.id:
                breaker.wait, breaker.canary = min(2 * breaker.wait, 20 * self.first_ms), ""
                breaker.until = self.now + breaker.wait
            return breaker
        before = self.failing.get(job.queue, ("", set()))
        jobs = {*(before[1] if before[0] == print else ()), job.top.id}
        self.failing[job.queue] = (print, jobs)
        if len(jobs) < self.after:
            return None
        del self.failing[job.queue]
        self.breakers[job.queue] = Breaker(print, self.now + self.first_ms, self.first_ms)
        return self.breakers[job.queue]

    def unfinished(self, job: Entry) -> int:
        return sum(part.state not in ENDED for part in job.parts)

    def split(self, job: Entry, parts: Sequence[Entry]) -> None:
        """The job's parts, made once; after an operator's retry those that did not complete are queued again."""
        if not job.parts:
            job.parts, job.redo, job.asks = list(parts), False, ""
            for part in parts:
                self.enqueued(part)
        elif job.redo:
            job.redo = False
            for part in job.parts:
                if part.state in ("failed", "cancelled"):
                    part.state, part.tries_base, part.crashes, part.cancel = "queued", part.attempt, 0, False
                elif part.cancel:
                    part.cancel, part.wanted_again = False, True

    def waits(self, job: Entry, event: str, timeout: int) -> str:
        if event in job.events:
            job.asks = ""
            return "here"
        job.until.setdefault(event, self.now + timeout)
        job.asks = event if job.until[event] > self.now else ""
        return "waits" if job.asks else "late"

    # Clients and operators

    def event(self, job: Entry, event: str, body: str) -> bool:
        """False where it is refused."""
        if job.deleted or event in job.events:
            return not job.deleted and job.events[event] == body
        if job.state in ENDED or job.until.get(event, self.now + 1) <= self.now:
            return False
        job.events[event] = body
        if job.state == "active" and not job.lease_until and job.asks == event:
            job.resumes, job.asks = True, ""
        return True

    def cancel(self, job: Entry) -> bool:
        if job.state in ENDED:
            return False
        if job.lease_until:
            job.cancel = True
        else:
            self._cancelled(job)
        return True

    def retry(self, job: Entry) -> bool:
        if job.deleted or job.state not in ("failed", "cancelled", "expired"):
            return False
        job.state = "scheduled" if job.after else "queued"
        job.tries_base, job.crashes, job.not_after, job.redo, job.resumes, job.cancel = (
            job.attempt,
            0,
            None,
            True,
            False,
            False,
        )
        job.asks, job.until = "", {}
        self.count(job, "requeued")
        return True

    def delete(self, job: Entry, deleted: bool = True) -> bool:
        """To the bin, or back."""
        if job.deleted == deleted or job.state not in ENDED:
            return False
        job.deleted = deleted
        return True

    def purge(self, job: Entry) -> bool:
        if job.state not in ENDED:
            return False
        for gone in (job, *job.parts):
            del self.jobs[gone.id]
        self._cancel_after(job, gone=True)
        return True

    def _cancel_after(self, job: Entry, gone: bool) -> None:
        """Those that wait for a job that is gone are cancelled, and those that wait for these; a retry waits for it no longer."""
        for follower in job.followers if not job.released else ():
            if self.jobs.get(follower.id) is follower:
                if follower.state == "scheduled":
                    self._end(follower, "cancelled")
                    self._cancel_after(follower, gone=False)
                if gone:
                    follower.after.remove(job)

    def swept(self) -> None:
        """Jobs that did not begin in time are ended, with or without a worker."""
        for job in [job for job in self.jobs.values() if job.not_after is not None and job.next_check <= self.now]:
            if job.state == "active":
                job.next_check = self.now + RECHECK_MS
            elif job.state in WAITING:
                self.expired(job)

    # Ends

    def expired(self, job: Entry) -> None:
        self._stop_parts(job)
        self._end(job, "expired")

    def _cancelled(self, job: Entry) -> None:
        self._stop_parts(job)
        self._end(job, "cancelled")

    def _stop_parts(self, job: Entry) -> None:
        for part in job.parts:
            if part.state in WAITING:
                part.state = "cancelled"
                self.count(part, "cancelled")
            elif part.state == "active":
                part.cancel = True

    def _end(self, job: Entry, state: str) -> None:
        job.state, job.cancel, job.lease_until = state, False, 0
        self.count(job, state)
        parent = job.parent
        if parent and parent.state == "active" and not parent.lease_until and not self.unfinished(parent):
            parent.resumes = True
        if job.followers and not job.released and (state == "completed" or job.goes_on):
            job.released = True
            for follower in job.followers:
                follower.after = [one for one in follower.after if one is not job]
                if follower.state == "scheduled" and not follower.after and self.jobs.get(follower.id) is follower:
                    follower.state = "scheduled" if follower.due > self.now else "queued"
