"""Keys of the fairness ledger, and when they are removed."""

from service.engine.store.keys import PREFIX

HOURS_KEPT_S = 3 * 86_400
DAYS_KEPT_S = 35 * 86_400


def hour(queue: str, number: int) -> str:
    """Hash: microseconds by who waited and for whom (moment.py), of an hour since the epoch. Expires after three days."""
    return f"{PREFIX}fairness:{queue}:{number}"


def day(queue: str, number: int) -> str:
    """Hash: the same of a day (UTC). Expires after 35 days."""
    return f"{PREFIX}fairness-day:{queue}:{number}"


EVERY = PREFIX + "fairness*"
"""Pattern of all of them."""

FORGOTTEN = PREFIX + "fairness-forgotten"
"""Sorted set: SHA-256 of the names of owners that were erased, by when (ms): what was counted of them and is not written yet stands
without their names. An entry goes after a minute, with the next write."""

FORGOTTEN_MS = 60_000
