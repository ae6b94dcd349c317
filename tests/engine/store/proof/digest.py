"""Digest that tells one state of the server and its workers from another: no times, no fences, no sums."""

from collections.abc import Hashable
from typing import Any, NamedTuple

from service.engine.store import keys
from tests.engine.store.proof import clock
from tests.engine.store.proof.found import LIMIT_DUE, Found

NO_PART_OF_A_STATE = (
    *(
        keys.PREFIX + word
        for word in ("minute:", "pace:", "attempts:", "fair:", "clock", "error", "types:", "finished:")
    ),
    "arq:",
    clock.KEY,
)
"""Sums, histories and tags that only grow: states that differ in no more than these go on alike."""

FIELDS_LEFT_OUT = frozenset(
    {
        "fence",
        "stamp",
        "created_ms",
        "started_ms",
        "first_started_ms",
        "finished_ms",
        "ready_ms",
        "virtual_ms",
        "message",
    }
)


class Lease(NamedTuple):
    """Lease as its worker remembers it."""

    worker: str
    job: str
    fence: int


def digest(queue: str, there: Found, leases: frozenset[Lease]) -> Hashable:
    """Digest of a state, different for different ones. Workers are alike: which of them is A makes no difference."""
    straight = hash((_keys(queue, there, ""), _memories(there, leases, "")))
    crossed = hash((_keys(queue, there, "AB"), _memories(there, leases, "AB")))
    return min(straight, crossed)


def _memories(there: Found, leases: frozenset[Lease], crossed: str) -> Hashable:
    return frozenset((_worker(one.worker, crossed), one.job, there.leases.get(one.job) == one.fence) for one in leases)


def _worker(name: str, crossed: str) -> str:
    return {"A": "B", "B": "A"}.get(name, name) if crossed else name


def _keys(queue: str, there: Found, crossed: str) -> Hashable:
    rows = []
    for key, value in there.all.items():
        if key == queue:
            members = sorted(value.items(), key=lambda row: (row[1], row[0]))
            rows.append((key, tuple((name, _when(score, there.now_ms)) for name, score in members)))
        elif key == keys.running(queue):
            rows.append((key, frozenset(value)))
        elif key.startswith(keys.job("")):
            rows.append((key, _record(value, there.now_ms, crossed)))
        elif not key.startswith(NO_PART_OF_A_STATE):
            rows.append((key, _plain(value)))
    return frozenset(rows)


def _record(record: dict[str, bytes], now_ms: int, crossed: str) -> Hashable:
    shown: dict[str, Any] = {name: value for name, value in record.items() if name not in FIELDS_LEFT_OUT}
    shown["attempt"] = int(record.get("attempt", 0)) - int(record.get("tries_base", 0) or 0)
    shown.pop("tries_base", None)
    shown["worker"] = _worker(record.get("worker", b"").decode(), crossed)
    shown["cancel_requested"] = bool(record.get("cancel_requested"))
    if "due_ms" in record:
        shown["due_ms"] = _when(float(record["due_ms"]), now_ms)
    return frozenset(shown.items())


def _when(score: float, now_ms: int) -> Hashable:
    if score < now_ms / 2:
        return "ready"
    return max(0, int(score) - now_ms)


def _plain(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset(name for name in value if not name.startswith(LIMIT_DUE))
    return frozenset(value) if isinstance(value, set) else str(value)
