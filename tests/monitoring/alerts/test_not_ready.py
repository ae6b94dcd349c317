"""An outage that no rule can tell of: Slack and the pager hear of it directly, once, and of its end."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from service.engine.redis.client import connect
from service.lib.languages import in_language
from service.lib.sentences.recogniser import shown
from service.lib.storage.object_storage import Storage, StorageFull
from service.monitoring.alerts import Alerts
from service.monitoring.alerts.not_ready import FAILED_S, NotReady, Outbreak, recovery
from service.monitoring.readiness import Readiness
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.monitoring.receiver import Receiver, receiving


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        monkeypatch.setenv("OFFLOAD_SLACK_WEBHOOK_URL", f"{receiver.url}/slack")
        monkeypatch.setenv("OFFLOAD_PAGER_WEBHOOK_URL", f"{receiver.url}/v2/enqueue?routing_key=key-1")
        load_settings.cache_clear()
        yield receiver


@pytest.fixture
async def server(tmp_path) -> AsyncIterator[EmbeddedValkey]:
    """A server of the test's own, to be stopped."""
    async with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server


class Clock:
    """Both clocks of the process, moved together."""

    def __init__(self, wall: time_machine.Traveller) -> None:
        self.wall, self.ahead_s = wall, 0.0

    def shift(self, delta: timedelta) -> None:
        self.wall.shift(delta)
        self.ahead_s += delta.total_seconds()


@contextmanager
def traveling() -> Iterator[Clock]:
    real = time.monotonic
    with time_machine.travel("2026-11-02T08:00:30Z", tick=True) as wall, pytest.MonkeyPatch.context() as patch:
        clock = Clock(wall)
        patch.setattr("service.monitoring.alerts.not_ready.monotonic", lambda: real() + clock.ahead_s)
        yield clock


def texts(receiver: Receiver) -> list[str]:
    return [body["text"] for body in receiver.bodies("/slack")]


async def test_an_outage_of_the_queue_server_is_told_once_by_two_processes_and_so_is_its_end(
    settings_env: dict[str, str], receiver: Receiver, server: EmbeddedValkey
) -> None:
    redis = connect(server.url)
    readiness = Readiness({"redis": redis.ping})
    first, second = (NotReady(load_settings(), redis, readiness) for _ in range(2))
    with traveling() as clock:
        await first.check()
        server.kill()
        await first.check()
        await second.check()
        assert texts(receiver) == []
        clock.shift(timedelta(seconds=FAILED_S))
        for process in (first, second, first):
            await process.check()
        assert len(texts(receiver)) == 1
        assert "has not been ready for" in texts(receiver)[0] and "redis does not work" in texts(receiver)[0]
        clock.shift(timedelta(minutes=4))
        await server.start_async()
        for process in (second, first):
            await process.check()
    assert texts(receiver)[1:] == [
        "resolved: Offload is ready again after 5 min (since 08:00 UTC): redis was out. Until now no alert rule was "
        "measured, no schedule began and no job was accepted: slots that were missed are listed with their schedules"
    ]
    events = receiver.bodies("/v2/enqueue")
    assert [(event["event_action"], event["dedup_key"]) for event in events] == [
        ("trigger", "offload:not-ready"),
        ("resolve", "offload:not-ready"),
    ]
    assert [entry.event for entry in await Alerts(load_settings(), redis).history()] == ["resolved", "fired"]
    await redis.aclose(close_connection_pool=True)


async def test_another_machine_tells_of_it_no_second_time_while_the_queue_server_works(
    settings_env: dict[str, str], receiver: Receiver, server: EmbeddedValkey, tmp_path
) -> None:
    redis = connect(server.url)

    async def refuse() -> None:
        raise ConnectionRefusedError

    readiness = Readiness({"database": refuse})
    settings = load_settings()
    machines = [
        NotReady(settings.model_copy(update={"data_dir": tmp_path / name}), redis, readiness) for name in ("one", "two")
    ]
    with traveling() as clock:
        for machine in machines:
            await machine.check()
        clock.shift(timedelta(seconds=FAILED_S))
        for machine in machines:
            await machine.check()
    assert len(texts(receiver)) == 1
    await redis.aclose(close_connection_pool=True)


async def test_a_receiver_that_is_away_is_told_later(
    settings_env: dict[str, str], receiver: Receiver, server: EmbeddedValkey
) -> None:
    redis = connect(server.url)
    watch = NotReady(load_settings(), redis, Readiness({"redis": redis.ping}))
    server.kill()
    receiver.for_ever = 503
    with traveling() as clock:
        await watch.check()
        clock.shift(timedelta(seconds=FAILED_S))
        await watch.check()
        assert texts(receiver) == [] and receiver.requests == 2
        receiver.for_ever = None
        await watch.check()
    assert len(texts(receiver)) == 1
    await redis.aclose(close_connection_pool=True)


async def test_a_storage_with_next_to_no_space_is_not_ready(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path.as_uri())
    assert await Readiness({"storage": storage.check}).checks() == {"storage": "ok"}
    # A real full disk is filled in tests/production; here the bound is moved above what this one has.
    monkeypatch.setattr("service.lib.storage.raw_storage.FREE_BYTES_MIN", 1 << 60)
    with pytest.raises(StorageFull):
        await storage.check()
    assert await Readiness({"storage": storage.check}).checks() == {"storage": "does not work: full"}


def test_the_end_of_an_outage_is_told_in_the_operators_language_to_its_last_word() -> None:
    with in_language("de"):
        text = shown(recovery(Outbreak(0, {"redis": "does not work"}), 300.0))
    assert text == (
        "Offload ist nach 5 Min. wieder bereit (seit 00:00 UTC): redis war ausgefallen. Bis jetzt wurde keine Alarmregel gemessen, "
        "begann kein Zeitplan und wurde kein Job angenommen: Verpasste Zeiten stehen bei ihren Zeitplänen"
    )
