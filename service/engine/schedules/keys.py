"""Keys of the schedules in Redis, and when they are removed."""

from service.engine.store.keys import PREFIX

OWNED = f"{PREFIX}owned-schedules"
"""Hash: schedules of owners by id, as JSON. An entry goes when its owner deletes it."""


def schedule(name: str) -> str:
    """Hash: through which slot a schedule was seen, its newest job, its pause. One a declared schedule."""
    return f"{PREFIX}schedule:{name}"


def schedule_order(name: str) -> str:
    """Sorted set: the schedule's last 60 runs by when they began (ms). The oldest goes when a newer one comes."""
    return f"{PREFIX}schedule-order:{name}"


def schedule_runs(name: str) -> str:
    """Hash: those runs as JSON. An entry goes with the one in the order."""
    return f"{PREFIX}schedule-runs:{name}"
