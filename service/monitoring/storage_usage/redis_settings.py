"""Settings of the queue server under which it may lose jobs that it has accepted."""

import contextlib
from collections.abc import Mapping
from typing import Any

import structlog
from redis.exceptions import RedisError, ResponseError

from service.engine.redis.client import Client

log = structlog.get_logger("offload")


def unsafe(info: Mapping[str, Any]) -> list[str]:
    """Settings in INFO that endanger jobs, each in some words."""
    found = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(f"maxmemory-policy is {policy}, and must be noeviction")
    if not int(info.get("aof_enabled", 1)):
        found.append("appendonly is off, and must be on")
    return found


async def warn_of_settings(redis: Client) -> None:
    """Log a warning for each unsafe setting, and for a log that is synced once a second. Silent where the server is away
    or does not tell."""
    with contextlib.suppress(RedisError, OSError):
        for problem in unsafe(await redis.info()):
            log.warning("redis.setting_unsafe", problem=problem)
        with contextlib.suppress(ResponseError):
            fsync = (await redis.config_get("appendfsync")).get("appendfsync", "always")
            if fsync != "always":
                log.warning("redis.setting_unsafe", problem="a power cut may lose a second of jobs", appendfsync=fsync)
