"""The replay's order, held equal to the scripts that jobs run by, and what it makes of a load."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from service.engine.redis.client import connect
from service.engine.store import Store, scripts
from service.engine.store.script_inputs import Claim, new_job
from service.monitoring.fairness.replay import FairOrder, Turn, replay
from tests.engine import probe

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo", "probe-piece"])
BEGIN_MS = 1_760_000_000_000

CLOCK = (
    "(function() local us = tonumber(redis.call('GET', 'test:now')) "
    "return {math.floor(us / 1000000), us % 1000000} end)()"
)
"""Stands for the server's clock in the scripts: nothing else in them is another than what is shipped."""


def with_clock(name: str) -> scripts.Script:
    script = scripts.Script(name)
    assert script.text.count("redis.call('TIME')") == 1
    script.text = script.text.replace("redis.call('TIME')", CLOCK)
    script.sha = hashlib.sha1(script.text.encode(), usedforsecurity=False).hexdigest()
    return script


ENQUEUE, CLAIM = with_clock("enqueue"), with_clock("claim")


def history_of(seed: int, steps: int = 250) -> list[tuple[int, Any]]:
    """Pauses (ms), each followed by a request (owner, priority, cost, weight, parent) or by a claim of so many jobs. The queue is
    seldom empty: an order is only told from another where many wait."""
    chance = random.Random(seed)

    def step() -> Any:
        if chance.random() < 0.42:
            return chance.randint(1, 3)
        costs = (0, chance.randint(100, 3_000), chance.randint(100, 60_000))
        owner, parent = chance.choice(["acme", "globex", "initech"]), chance.choice(["", "", "", "one", "two"])
        priority = chance.choice(["normal", "normal", "high", "low"])
        return owner, priority, chance.choice(costs), chance.choice([0.25, 1.0, 3.0]), parent

    pauses_ms = [0, 0, 1, 50, 700, 7_000, chance.choice([50, 400_000, 4_000_000])]
    return [(chance.choice(pauses_ms), step()) for _ in range(steps)]


async def by_scripts(redis_url: str, history: Sequence[Any]) -> list[list[str]]:
    """Ids that each claim begins, by the shipped scripts."""
    redis = connect(redis_url)
    store, begun, at_ms = Store(redis), [], BEGIN_MS
    await redis.flushdb()
    for number, (pause_ms, step) in enumerate(history):
        at_ms += pause_ms
        await redis.set("test:now", at_ms * 1000)
        if isinstance(step, int):
            jobs = (await store.claimed(Claim(QUEUE, "w", step, 60_000, KNOWN, reap=False))).jobs
            begun.append([job.id for job in jobs])
        else:
            owner, priority, cost_ms, weight, parent = step
            job = new_job(
                probe.probe_echo, probe.Echo(), job_id=f"j{number:03}", owner=owner, priority=priority, retries=0,
                cost_ms=cost_ms, units=1, parent=parent,
            )  # fmt: skip
            await store.queued([msgspec.structs.replace(job, weight=False if weight == 1 else weight)])
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)
    return begun


def by_order(history: Sequence[Any]) -> list[list[str]]:
    """The same by the replay's order."""
    order, begun, at_ms = FairOrder(), [], BEGIN_MS
    for number, (pause_ms, step) in enumerate(history):
        at_ms += pause_ms
        if isinstance(step, int):
            begun.append([turn.id for turn in order.claim(step)])
        else:
            owner, priority, cost_ms, weight, parent = step
            order.add(Turn(f"j{number:03}", owner, at_ms, 0, cost_ms, priority, parent), weight, at_ms)
    return begun


@pytest.mark.parametrize("seed", range(10))
async def test_the_order_is_that_of_the_scripts(seed: int, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "ENQUEUE", ENQUEUE)
    monkeypatch.setattr(scripts, "CLAIM", CLAIM)
    history = history_of(seed)
    assert await by_scripts(redis_url, history) == by_order(history)


def load(owner: str, number: int, arrived_ms: int, ran_ms: int = 1_000) -> list[Turn]:
    return [Turn(f"{owner}-{n:03}", owner, BEGIN_MS + arrived_ms, ran_ms, cost_ms=ran_ms) for n in range(number)]


def longest(turns: list[Turn], waits: list[float], owner: str) -> float:
    return max(wait for turn, wait in zip(turns, waits, strict=True) if turn.owner == owner)


def test_owners_take_turns_and_a_weight_shortens_the_wait() -> None:
    turns = load("acme", 300, 0) + load("globex", 10, 5)
    even = replay(turns, {}, lambda _: 1)
    assert sum(wait == 0 for wait in even) == 1 and longest(turns, even, "acme") == 309_000
    # Ten turns in alternation, of a second each.
    assert 19_000 <= longest(turns, even, "globex") <= 21_000
    weighted = replay(turns, {"globex": 4.0}, lambda _: 1)
    assert longest(turns, weighted, "globex") < 14_000
    assert longest(turns, replay(turns, {}, lambda _: 400), "acme") == 0


def test_no_job_begins_without_a_slot_and_all_do_once_there_are_some() -> None:
    turns = load("acme", 3, 0)
    opened_ms = BEGIN_MS + 3_600_000
    waits = replay(turns, {}, lambda at_ms: 3 if at_ms >= opened_ms else 0)
    assert min(waits) >= 3_600_000 and max(waits) < 3_660_001


def test_parts_come_as_the_turn_of_their_job_ends() -> None:
    parent = Turn("document", "acme", BEGIN_MS + 1_000, 500)
    parts = [Turn(f"document.{n}", "acme", 10, 2_000, parent="document") for n in range(2)]
    blocking = Turn("first", "globex", BEGIN_MS, 5_000)
    waits = replay([blocking, parent, *parts], {}, lambda _: 1)
    assert waits == [0, 4_000, 0, 2_000]
