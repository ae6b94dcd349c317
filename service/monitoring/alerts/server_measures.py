"""Measures of the queue servers: the main one, and those that queues have of their own."""

from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.redis.places import places_of, silent_places
from service.monitoring.alerts.silence import Reading
from service.monitoring.storage_usage.redis_settings import unsafe
from settings.alert_rules import Rule


class ServerMeasures:
    """Takes measures of every queue server that the client knows."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def _each_server(self, reading_of: Callable[[str, dict[str, Any]], Reading]) -> list[Reading]:
        """A reading of the main queue server, and of each queue's own, from what INFO says there; of one that is away, none."""
        found = []
        for place in places_of(self.redis).all:
            subject = place.server or "redis"
            try:
                found.append(reading_of(subject, await place.client.info()))
            except (RedisError, OSError):
                if not place.server:
                    raise
        return found

    async def redis_memory_share(self, _rule: Rule) -> list[Reading]:
        """Used of the permitted memory; nothing where no bound is set."""

        def reading(subject: str, info: dict[str, Any]) -> Reading:
            used, most = int(info["used_memory"]), int(info.get("maxmemory", 0))
            detail = f"{used / 2**20:,.0f} of {most / 2**20:,.0f} MiB"
            return Reading(subject, used / most if most else None, detail, "/admin/metrics")

        return await self._each_server(reading)

    async def unsafe_settings(self, _rule: Rule) -> list[Reading]:
        """Settings of a queue server under which jobs may be lost."""

        def reading(subject: str, info: dict[str, Any]) -> Reading:
            problems = unsafe(info)
            return Reading(subject, len(problems), "; ".join(problems), "/admin/storage")

        return await self._each_server(reading)

    async def evicted_keys(self, _rule: Rule) -> list[Reading]:
        """Keys that a server has thrown away since it started, or since its counters were last reset."""

        def reading(subject: str, info: dict[str, Any]) -> Reading:
            detail = f"maxmemory-policy is {info.get('maxmemory_policy')}, and must be noeviction"
            return Reading(subject, int(info.get("evicted_keys", 0)), detail, "/admin/storage")

        return await self._each_server(reading)

    async def queue_servers_away(self, _rule: Rule) -> list[Reading]:
        """1 for each queue's own server that does not answer, 0 for one that does."""
        places = [place for place in places_of(self.redis).all if place.server]
        silent = await silent_places(self.redis) if places else []
        detail = "its jobs wait there, and its requests get a 503"
        return [Reading(place.server, float(place in silent), detail, "/admin/queues") for place in places]
