"""Requests in the model: what becomes a new job, and what stands for one that is there."""

from collections import Counter

from tests.engine.store.proof.entry import ENDED, WAITING, Entry


class Requests:
    def __init__(self, now: int) -> None:
        self.now = now
        self.jobs: dict[str, Entry] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.keys: dict[tuple[str, ...], tuple[str, int]] = {}
        """Kind, owner, type and key of a request, to the job that stands for it and a throttle's next start."""

    def count(self, job: Entry, event: str, by: int = 1) -> None:
        self.counts[job.queue, event + ("/" if job.parent else "|")] += by

    def enqueued(self, job: Entry) -> None:
        job.state = "scheduled" if job.due > self.now or job.after else "queued"
        job.next_check = job.not_after or 0
        self.jobs[job.id] = job
        self.count(job, "enqueued")

    def request(self, job: Entry, kind: str = "", key: str = "", **terms: int) -> Entry:
        """The job that a request is answered with: a new one, or the one that its key stands for."""
        name = (kind, job.owner, job.type, key)
        known_id, next_start = self.keys.get(name, ("", 0))
        known = self.jobs.get(known_id)
        if known and known.deleted:
            known = None
        if kind == "unique" and known:
            again = known.state in ("failed", "cancelled", "expired")
            if not again and (terms.get("for_ms") or known.state not in ENDED):
                return known
        elif kind == "debounce":
            if known and known.state == "scheduled":
                known.due = max(self.now, min(self.now + terms["delay"], known.created + terms["longest"]))
                return self._replaced(known, job)
            job.due = self.now + terms["delay"]
        elif kind in ("throttle", "replace", "rerun"):
            if known and known.state in WAITING and not known.after:
                return self._replaced(known, job)
            if kind == "throttle":
                started = self.jobs[known_id].first_started if known_id in self.jobs else 0
                job.due = max(next_start, started + terms["every"])
        self.enqueued(job)
        if kind:
            self.keys[name] = (job.id, max(job.due, self.now) + terms.get("every", 0))
        return job

    def _replaced(self, known: Entry, job: Entry) -> Entry:
        known.cost, known.limits, known.not_after, known.next_check = (
            job.cost,
            job.limits,
            job.not_after,
            job.not_after or 0,
        )
        return known
