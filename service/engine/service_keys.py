"""Keys of external services, under the prefix of all keys. use_service.lua builds the same names."""

from service.engine.store.keys import PREFIX

SERVICES = PREFIX + "services"
"""Set: external services that were ever used. As many as job types name."""


def service(name: str) -> str:
    """Sorted set: uses of an external service that are under way, by when each ends unless it is renewed (ms). Expires."""
    return f"{PREFIX}service:{name}"


def service_waiting(name: str) -> str:
    """Sorted set: uses that wait for the service, by when they count no longer (ms). Expires."""
    return f"{PREFIX}service-waiting:{name}"


def service_state(name: str) -> str:
    """Hash: an operator's pause of the service, its open breaker, and the fingerprint of the error that jobs fail with in a row.
    Goes as the service is open again and a use has completed."""
    return f"{PREFIX}service-state:{name}"


def service_failing(name: str) -> str:
    """Set: jobs that failed in a row within uses of the service. Goes as one completes or the breaker opens; expires."""
    return f"{PREFIX}service-failing:{name}"


def service_parked(name: str) -> str:
    """Sorted set: ids of jobs that were put back as the service is paused, by when they count no longer (ms). Expires."""
    return f"{PREFIX}service-parked:{name}"


def service_used(name: str, minute: int) -> str:
    """String: uses that began in a minute. Expires after two hours."""
    return f"{PREFIX}service-used:{name}:{minute}"
