"""All keys of a server as they stand at one moment, and what must be true of them whatever has happened."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from fnmatch import translate
from functools import cache, cached_property
from re import Pattern, compile, match
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.states import TERMINAL, WAITING, State
from service.engine.store import keys
from service.engine.store.records import to_job
from tests.engine.store.proof.clock import KEY
from tests.engine.store.test_keys import OWNERS, names_of

READY_SINCE_MS = 315_360_000_000
"""Ready jobs are scored about this far in the past (includes/common.lua)."""

LIMIT_DUE = keys.PREFIX + "limit-due:"

READ_ALL = """
local found = {}
for n, key in ipairs(redis.call('KEYS', '*')) do
  local kind, value = redis.call('TYPE', key).ok
  if kind == 'string' then value = redis.call('GET', key)
  elseif kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  else value = redis.call('LRANGE', key, 0, -1) end
  found[n] = {key, kind, value}
end
return found
"""

PER_JOB = (keys.job, keys.attempts, keys.log, keys.checkpoint, keys.parts, keys.events, keys.arq_job)
ARQ = ("arq:in-progress:*", "arq:result:*", "arq:abort")


@cache
def _owned(queues: tuple[str, ...]) -> Pattern[str]:
    """Names of all keys that are made: by the modules of keys, by the scripts for arq, and a queue's own set."""
    ours = [made for module in OWNERS for made in names_of(module).values()]
    markers = [f"{keys.PREFIX}deadlines:{queue}" for queue in queues]
    return compile("|".join(translate(name) for name in (*ours, *markers, *ARQ, *queues, KEY)))


class Found:
    """The keys. `check` raises AssertionError with a sentence for the first thing that is not as it must be."""

    def __init__(self, rows: list[tuple[bytes, bytes, Any]], now_ms: int, queues: tuple[str, ...]) -> None:
        self.now_ms, self.queues = now_ms, queues
        self.all: dict[str, Any] = {key.decode(): _value(kind, value) for key, kind, value in rows}
        head = keys.job("")
        raw = {key[len(head) :]: value for key, value in self.all.items() if key.startswith(head)}
        self.raw: dict[str, dict[str, bytes]] = raw
        self.jobs = {
            job_id: to_job(job_id, {name.encode(): value for name, value in one.items()}) for job_id, one in raw.items()
        }

    def set_of(self, key: str) -> Mapping[str, float]:
        """Members of a sorted set with their scores, empty where there is none."""
        return self.all.get(key, {})

    @cached_property
    def leases(self) -> dict[str, int]:
        """Job id to fence of every lease of all queues."""
        held = [
            (job, int(fence)) for queue in self.queues for job, fence in self.all.get(keys.running(queue), {}).items()
        ]
        assert len(dict(held)) == len(held), f"one job, two leases: {held}"
        return dict(held)

    @property
    def listed(self) -> list[Any]:
        """Jobs that stand in lists: neither parts nor in the bin."""
        return [job for job in self.jobs.values() if not job.parent and not job.deleted_ms]

    def check(self) -> None:
        self.check_keys()
        self.check_lists()
        self.check_leases()
        self.check_places()
        self.check_limits()
        self.check_parts()
        self.check_workflows()
        self.check_breakers()

    def check_keys(self) -> None:
        """Every key has an owner, and what belongs to a job goes with it."""
        known = _owned(self.queues)
        for key in self.all:
            assert known.match(key), f"the key {key} has no owner"
            for make in PER_JOB:
                if key.startswith(make("")):
                    assert key[len(make("")) :] in self.jobs, f"{key} is left of a job that is gone"
        for job in self.jobs.values():
            wanted = job.state not in TERMINAL
            assert (keys.arq_job(job.id) in self.all) == wanted, (
                f"{job.id} is {job.state}; an entry for arq: not {wanted}"
            )

    def check_lists(self) -> None:
        wanted: dict[str, dict[str, float]] = defaultdict(dict)
        for job in self.listed:
            wanted[keys.by_type(job.type, job.state)][job.id] = job.stamp
            wanted[keys.by_owner(job.owner, job.state)][job.id] = job.stamp
            for name in msgspec.msgpack.decode(self.raw[job.id].get("find", b"\x90")):
                wanted[keys.found_by(*name.split(":", 1))][job.id] = job.stamp
            if job.state is State.FAILED and job.fingerprint:
                wanted[keys.error_jobs(job.fingerprint)][job.id] = job.stamp
            elif job.state in TERMINAL and job.state is not State.FAILED:
                wanted[keys.finished(job.queue)][job.id] = job.finished_ms
        for job in self.jobs.values():
            if job.deleted_ms:
                wanted[keys.BIN][job.id] = job.deleted_ms
        heads = [keys.PREFIX + word for word in ("type:", "owner:", "find:", "error-jobs:", "finished:", "bin")]
        there = {key: value for key, value in self.all.items() if key.startswith(tuple(heads))}
        assert there == wanted, f"lists differ from the records: {_difference(there, wanted)}"

    def check_leases(self) -> None:
        """At most one lease a job, held by the job's present fence; nothing that has a worker is without one."""
        working = {job.id: job.fence for job in self.jobs.values() if job.worker}
        assert self.leases == working, f"leases differ from the records: {_difference(self.leases, working)}"
        for job_id in working:
            assert self.jobs[job_id].state is State.ACTIVE, f"{job_id} is {self.jobs[job_id].state} under a lease"
        for key in self.all:
            if key.startswith("arq:in-progress:"):
                assert key.removeprefix("arq:in-progress:") in working, f"{key} without a lease"

    def check_places(self) -> None:
        """Each job that waits or runs stands in its queue once, in the region of its state, so that none is forgotten."""
        for queue in self.queues:
            there = {member: score for member, score in self.set_of(queue).items() if not member.startswith(LIMIT_DUE)}
            jobs = [job for job in self.jobs.values() if job.queue == queue]
            for job in jobs:
                self._check_place(job, there.pop(job.id, None))
            assert not there, f"in the queue without a reason: {there}"
            backlog = sum(
                job.estimated_ms for job in jobs if job.state in (State.QUEUED, State.RETRYING) and not job.blocked_by
            )
            counted = int(self.all.get(keys.queue(queue), {}).get("backlog_ms", 0))
            assert counted == backlog, f"{queue} counts {counted} ms of work, and {backlog} wait"

    def _check_place(self, job: Any, score: float | None) -> None:
        resumes = "resume" in self.raw[job.id]
        ready = self.now_ms - READY_SINCE_MS / 2
        if job.state in WAITING and job.not_after_ms:
            assert job.id in self.set_of(keys.EXPIRING), f"{job.id} will never expire"
        if (job.state is State.QUEUED and not job.blocked_by) or (
            job.state is State.ACTIVE and resumes and not job.worker
        ):
            assert score is not None and score < ready, f"{job.id} is ready, and stands at {score}"
            if job.deadline_ms and not job.parent and job.state is State.QUEUED:
                urgent = keys.deadlines(job.queue, job.priority, job.owner)
                assert self.set_of(urgent).get(job.id) == job.deadline_ms, f"the deadline of {job.id} is forgotten"
                assert f"{keys.PREFIX}deadlines:{job.queue}" in self.all
        elif job.state is State.RETRYING or (job.state is State.SCHEDULED and job.waits_for <= 0):
            assert score == job.due_ms, f"{job.id} is due at {job.due_ms}, and stands at {score}"
        elif job.state is State.ACTIVE and job.worker:
            assert score is not None and score > ready, f"{job.id} runs, and its lease never ends: {score}"
        elif job.state is State.ACTIVE and job.waits_event and score is not None:
            assert score == job.wait_due_ms, f"{job.id} waits until {job.wait_due_ms}, and stands at {score}"
        else:
            assert score is None, f"{job.id} is {job.state} and stands in its queue at {score}"
            if job.state is State.ACTIVE:
                assert job.waiting_parts > 0, f"{job.id} waits for nothing, and nothing will wake it"

    def check_limits(self) -> None:
        """Keys are held by active jobs and no other; who waits for one stands under it once, and not in vain."""
        holders: dict[str, set[str]] = defaultdict(set)
        for job in self.jobs.values():
            for key, at_once in limits_of(job):
                if job.state is State.ACTIVE:
                    holders[key].add(job.id)
                    assert not at_once or len(holders[key]) <= at_once, f"{key} is over its limit: {holders[key]}"
        there = _under(self.all, keys.held(""))
        assert there == holders, f"holders differ: {_difference(there, holders)}"
        parked = _under(self.all, keys.parked(""))
        waits: dict[str, str] = {}
        for key, members in parked.items():
            for job_id in members:
                assert job_id not in waits, f"{job_id} waits under two keys"
                waits[job_id] = key
        recorded = {
            job.id: match(r"\S+ (\S+?)\|", job.blocked_by).group(1) for job in self.jobs.values() if job.blocked_by
        }
        assert waits == recorded, f"parked jobs differ from the records: {_difference(waits, recorded)}"
        for job_id in waits:
            assert self.jobs[job_id].state is State.QUEUED, f"{job_id} is parked and {self.jobs[job_id].state}"
        blocked = {key for queue in self.queues for key in self.set_of(keys.blocked(queue))}
        assert blocked == set(parked), f"keys that are waited for: {blocked} and {set(parked)}"
        for key in parked:
            self._check_wait(key, holders[key], waits)

    def _check_wait(self, key: str, holders: set[str], waits: Mapping[str, str]) -> None:
        bounds = {job.id: dict(limits_of(job)).get(key) for job in self.jobs.values() if key in dict(limits_of(job))}
        first = min(self.all[keys.parked(key)].items(), key=lambda row: (row[1], row[0]))[0]
        full = bounds[first] and len(holders) >= bounds[first]
        elsewhere = any(self.jobs[job_id].state is State.QUEUED and waits.get(job_id) != key for job_id in bounds)
        due = any(LIMIT_DUE + key in self.set_of(queue) for queue in self.queues)
        assert full or elsewhere or due, f"nothing will let the jobs of {key} begin"

    def check_parts(self) -> None:
        for job in self.jobs.values():
            ids = [row.decode() for row in self.all.get(keys.parts(job.id), [])]
            if job.parent:
                assert job.parent in self.jobs, f"{job.id} is left of {job.parent}, which is gone"
            if not ids:
                continue
            states = Counter(self.jobs[part].state for part in ids)
            left = len(ids) - sum(states[state] for state in TERMINAL)
            seen = (job.waiting_parts, job.parts_done, job.parts_failed)
            assert seen == (left, states[State.COMPLETED], states[State.FAILED]), f"{job.id} counts {seen} of {states}"

    def check_workflows(self) -> None:
        left: Counter[str] = Counter(job.workflow for job in self.jobs.values() if job.workflow)
        there = {name: int(record["left"]) for name, record in _under(self.all, keys.workflow("")).items()}
        assert there == left, f"jobs left of workflows: {_difference(there, left)}"
        before: Counter[str] = Counter()
        for job_id, raw in self.raw.items():
            if "followers" in raw and "released" not in raw:
                before.update(msgspec.msgpack.decode(raw["followers"]))
                assert self.jobs[job_id].state is not State.COMPLETED, f"{job_id} completed and let none after it begin"
        for job in self.jobs.values():
            assert max(0, job.waits_for) == before[job.id], (
                f"{job.id} waits for {job.waits_for} of {before[job.id]} jobs"
            )

    def check_breakers(self) -> None:
        for queue in self.queues:
            record = self.all.get(keys.queue(queue), {})
            failing = keys.failing(queue) in self.all
            assert failing == ("failing" in record), f"{queue}: jobs in a row and their error go together"
            assert not (failing and "breaker" in record), f"{queue}: an open breaker counts no jobs in a row"

    def counted(self) -> Counter[tuple[str, str]]:
        """Events of jobs by (queue, event), over all minutes; of parts with `/` for `|`."""
        totals: Counter[tuple[str, str]] = Counter()
        for queue in self.queues:
            for key, fields in self.all.items():
                if key.startswith(keys.metrics(queue, 0)[:-1]):
                    for name, number in fields.items():
                        if found := match(r"([a-z]+)([|/])", name):
                            totals[queue, found.group(1) + found.group(2)] += int(number)
        return totals


def limits_of(job: Any) -> list[tuple[str, int]]:
    """The limit keys of a job, with how many jobs may be active at a time (0: any number)."""
    return [(key, int(at_once)) for key, at_once, _, _ in (word.rsplit("|", 3) for word in job.limits.split())]


async def found(redis: Client, now_ms: int, queues: tuple[str, ...]) -> Found:
    return Found(await redis.execute_command("EVAL", READ_ALL, 0), now_ms, queues)


def _value(kind: bytes, value: Any) -> Any:
    if kind == b"hash":
        return {name.decode(): word for name, word in zip(value[::2], value[1::2], strict=True)}
    if kind == b"zset":
        return {name.decode(): float(word) for name, word in zip(value[::2], value[1::2], strict=True)}
    return {word.decode() for word in value} if kind == b"set" else value


def _under(all_keys: Mapping[str, Any], head: str) -> dict[str, Any]:
    return {key[len(head) :]: value for key, value in all_keys.items() if key.startswith(head)}


def _difference(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    names = [name for name in {**there, **wanted} if there.get(name) != wanted.get(name)]
    return "; ".join(f"{name}: {there.get(name)}, not {wanted.get(name)}" for name in sorted(names))
