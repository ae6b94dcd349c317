"""Every order in which two workers, a client and the clock can call the shipped scripts over a few jobs, to a given depth.

A breadth-first search: each state is all keys of the server and what the workers remember of their leases. A state is kept as
its keys' DUMP, and told from others by a digest without times, fences and sums. After each call the keys are as `found.py` says,
every move is an arrow of docs/states.md, a call under an old fence has changed nothing, and counters have grown by what happened.
"""

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from service.engine.outcomes import OutcomeKind
from service.engine.states import TERMINAL, State
from service.engine.store import Job, LeaseLost, NoSuchJob, Store, WrongState
from service.engine.store.script_inputs import Claim, NewJob, Outcome
from tasks.sdk import Meter
from tests.engine.store.proof import arrows, clock
from tests.engine.store.proof.digest import Lease, digest
from tests.engine.store.proof.entry import leases_given
from tests.engine.store.proof.found import Found, found

QUEUES = ("thumbnails",)
(QUEUE,) = QUEUES
LEASE_MS, BACKOFF_MS = 10_000, 15_000
KNOWN = msgspec.msgpack.encode(["plain"])

KEEP = """
local kept = {}
for n, key in ipairs(redis.call('KEYS', '*')) do kept[n] = {key, redis.call('DUMP', key)} end
return kept
"""
BACK = """
redis.call('FLUSHALL')
for n = 1, #ARGV, 2 do redis.call('RESTORE', ARGV[n], 0, ARGV[n + 1]) end
"""


@dataclass
class Reached:
    keys: Sequence[bytes]
    now_ms: int
    leases: frozenset[Lease]
    there: Found
    path: tuple[str, ...]


Step = tuple[str, Callable[[], Awaitable[Any]], Lease | None]


def job(name: str, **more: Any) -> NewJob:
    fields = ["payload", "{}", "retries", 1, *more.pop("fields", ())]
    given = {"due": 0, "find": [], **more}
    return NewJob(name, QUEUE, "plain", "acme", "normal", 1_000, fields=fields, **given)


class Orders:
    """The search. `states` and `calls` are counted; AssertionError names the order of calls that broke something."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.states = self.calls = 0
        self.parts = False
        self.seen: set[Hashable] = set()

    async def search(self, jobs: Sequence[NewJob], depth: int, *, workflow: bool = False, parts: bool = False) -> None:
        self.parts = parts
        await self.store.redis.flushall()
        await clock.set_clock(self.store.redis, clock.START_MS)
        if workflow:
            await self.store.workflow_queued("flow", jobs, "p", {"owner": "acme", "jobs": "{}", "goes_on": ""})
        else:
            await self.store.queued(jobs)
        now = clock.START_MS
        there = await found(self.store.redis, now, QUEUES)
        there.check()
        level = [Reached(await self._kept(), now, frozenset(), there, ())]
        self.seen.add(digest(QUEUE, there, frozenset()))
        self.states += 1
        for _ in range(depth):
            level = [new for state in level async for new in self._next(state)]
        assert self.states > 1

    async def _kept(self) -> Sequence[bytes]:
        rows = await self.store.redis.execute_command("EVAL", KEEP, 0)
        return [word for row in rows for word in row]

    async def _next(self, state: Reached) -> Any:
        for words, call, lease in self._steps(state):
            await self.store.redis.execute_command("EVAL", BACK, 0, *state.keys)
            self.now, self.leases = state.now_ms, state.leases
            self.calls += 1
            path = (*state.path, words)
            try:
                await call()
                there = await found(self.store.redis, self.now, QUEUES)
                there.check()
                self._compare(state, there, lease)
            except AssertionError as error:
                raise AssertionError("\n".join((str(error), "after:", *path))) from error
            mark = digest(QUEUE, there, self.leases)
            if mark not in self.seen:
                self.seen.add(mark)
                self.states += 1
                yield Reached(await self._kept(), self.now, self.leases, there, path)

    def _compare(self, state: Reached, there: Found, lease: Lease | None) -> None:
        before = state.there
        if lease and before.leases.get(lease.job) != lease.fence:
            assert there.all == before.all, f"{lease} is over, and its write has changed something"
        arrows.check(before, there, compound=True)
        assert set(there.jobs) >= set(before.jobs), "a job is lost"
        grown = there.counted() - before.counted()
        ended, begun = Counter(), 0
        for name, one in there.jobs.items():
            mark, old = "/" if one.parent else "|", before.jobs.get(name)
            if one.state in TERMINAL and (old is None or old.state is not one.state):
                ended[QUEUE, f"{one.state}{mark}"] += 1
            # A lease of a job that goes on, be it that its last part has ended in this same call, begins no attempt; one that is
            # returned has had none.
            attempts = max(0, one.attempt - (old.attempt if old else 0))
            assert attempts <= leases_given(one.fence) - leases_given(old.fence if old else 0), (
                "an attempt has no lease"
            )
            begun += attempts
        counted = {key: number for key, number in grown.items() if key[1].rstrip("|/") in TERMINAL}
        assert counted == ended, f"ends were counted as {counted}, and are {dict(ended)}"
        assert sum(number for key, number in grown.items() if key[1].startswith("started")) == begun, (
            "starts are counted"
        )

    def _steps(self, state: Reached) -> Iterator[Step]:
        for worker in "AB":
            yield f"{worker} claims", lambda worker=worker: self._claim(worker), None
        for lease in sorted(state.leases):
            words = f"{lease.worker} {{}} {lease.job} under fence {lease.fence}"
            for kind in ("completed", "retry", "failed", "handback", *(["suspend"] if self.parts else [])):
                yield words.format(kind), lambda lease=lease, kind=kind: self._settle(lease, kind), lease
            yield words.format("renews"), lambda lease=lease: self._renew(lease), lease
            if self.parts and not state.there.jobs[lease.job].parent:
                yield words.format("splits"), lambda lease=lease: self._split(lease), lease
        for name, one in state.there.jobs.items():
            if not one.parent:
                if one.state not in TERMINAL:
                    yield f"cancel {name}", lambda name=name: self._refused(self.store.cancel(name)), None
                elif one.state is not State.COMPLETED:
                    yield f"retry {name}", lambda name=name: self._refused(self.store.retry(name)), None
        ahead = [score for member, score in state.there.set_of(QUEUE).items() if score > state.now_ms]
        if ahead:
            yield "time passes", lambda: self._wait(int(max(ahead)) + 1), None

    async def _refused(self, call: Awaitable[Any]) -> None:
        with contextlib.suppress(WrongState, NoSuchJob, LeaseLost):
            await call

    async def _claim(self, worker: str) -> None:
        given = await self.store.claimed(Claim(QUEUE, worker, 1, LEASE_MS, KNOWN, reap=True))
        assert len(given.jobs) <= 1
        self.leases |= {Lease(worker, one.id, one.fence) for one in given.jobs}

    async def _settle(self, lease: Lease, kind: str) -> None:
        outcome = Settled(
            lease.job, QUEUE, lease.fence, OutcomeKind(kind), delay_ms=BACKOFF_MS if kind == "retry" else 0
        )
        await self.store.settled([outcome])
        self.leases -= {lease}

    async def _renew(self, lease: Lease) -> None:
        await self.store.renewed(QUEUE, LEASE_MS, [(lease.job, lease.fence)])

    async def _split(self, lease: Lease) -> None:
        held = Job(lease.job, queue=QUEUE, fence=lease.fence)
        part = job(f"{lease.job}.1", parent=lease.job, fields=["part", 1])
        await self._refused(self.store.split(held, [part], Meter("done", "total", "{done}", 0, 100), 1))

    async def _wait(self, now_ms: int) -> None:
        self.now = now_ms
        await clock.set_clock(self.store.redis, now_ms)


class Settled(Outcome):
    """No time passes but the clock's."""

    def sent(self) -> None:
        self.waited_ms = 0
