"""Keys of what changed in the installation, and when they are removed."""

from service.engine.store.keys import PREFIX

DEPLOYS = PREFIX + "deploys"
"""Sorted set: deploys as JSON by their time (ms). The last 500 of 400 days; cut with every entry."""

SETTINGS_CHANGES = PREFIX + "settings-changes"
"""Sorted set: starts with other settings than the last one's, as JSON by their time (ms). Likewise."""

SETTINGS_SEEN = PREFIX + "settings-seen"
"""Hash: by kind of process the settings that it last started with, secrets as fingerprints. One for each queue, and web."""

VERSIONS = PREFIX + "versions"
"""Hash: by part (web, worker) its versions at the last check that found any. Two at most."""

WEB_VERSIONS = PREFIX + "web-versions"
"""Hash: when a web process of a version last reported (ms). An entry goes an hour after its last report."""

WORKERS_SEEN = PREFIX + "workers-seen"
"""Hash: workers as they were at the last check, as JSON. An entry goes with its worker."""

WORKER_HISTORY = PREFIX + "worker-history"
"""Sorted set: workers that have ended, as JSON by their end (ms). The last 2,000 of 35 days; cut with every entry."""


def levels(queue: str, hour: int) -> str:
    """Hash: by minute the most that waited, ran and worked at one time. Expires after two days."""
    return f"{PREFIX}levels:{queue}:{hour}"


def levels_day(queue: str, day: int) -> str:
    """Hash: the same by hour. Expires after five weeks."""
    return f"{PREFIX}levels-day:{queue}:{day}"
