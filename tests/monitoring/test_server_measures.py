"""Alerts look at the main queue server and at those that queues have of their own."""

from service.engine.redis.places import open_places
from service.monitoring.alerts.server_measures import ServerMeasures
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from settings.alert_rules import RULES
from tests.two_servers import second

__all__ = ["second"]

OWN = "the server of the queue thumbnails"
RULE = next(rule for rule in RULES if rule.name == "queue-server-away")


async def test_each_server_is_measured_and_one_that_is_away_is_named(second: EmbeddedValkey) -> None:
    async with open_places(load_settings()) as redis:
        measures = ServerMeasures(redis)
        await redis.places.by_queue["thumbnails"].client.config_set("maxmemory-policy", "allkeys-lru")
        values = {reading.subject: reading.value for reading in await measures.unsafe_settings(RULE)}
        assert set(values) == {"redis", OWN} and values[OWN] > values["redis"]
        assert [reading.subject for reading in await measures.redis_memory_share(RULE)] == ["redis", OWN]
        assert [RULE.broken_by(reading.value) for reading in await measures.queue_servers_away(RULE)] == [False]
        second.kill()
        (away,) = await measures.queue_servers_away(RULE)
        assert (away.subject, RULE.broken_by(away.value)) == (OWN, True)
        assert [reading.subject for reading in await measures.evicted_keys(RULE)] == ["redis"]


async def test_one_server_for_all_queues_has_no_own_ones(settings_env: dict[str, str]) -> None:
    async with open_places(load_settings()) as redis:
        assert await ServerMeasures(redis).queue_servers_away(RULE) == []
