"""Receivers by Apprise: a plain webhook and mail take alerts on loopback, and what one does not take is kept."""

from collections.abc import AsyncIterator

import pytest

from service.monitoring.alerts import Alerts
from service.monitoring.alerts.other_receivers import others_of
from settings import load_settings
from tests.monitoring.receiver import Receiver, receiving
from tests.parts import Parts


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        address = receiver.url.removeprefix("http://")
        monkeypatch.setenv("OFFLOAD_ALERT_URLS", f"json://{address}/first json://{address}/second")
        load_settings.cache_clear()
        yield receiver


async def test_every_address_takes_every_alert_its_end_and_tests(receiver: Receiver, parts: Parts) -> None:
    alerts = parts.alerts
    assert alerts.receivers == ["json", "json-2"]
    await alerts.rulebook.change("queue-backlog", {"threshold": 0, "for_s": 0.0}, by="ann", seen_ms=0)
    (job,) = await parts.echo()
    await parts.evaluation.evaluate()
    receiver.answers = [(500, {})]
    await alerts.outbox.deliver()
    first, second = await alerts.outbox.channels()
    assert (first.waiting, first.error) == (1, "json did not take the message") and not second.waiting
    assert not receiver.bodies("/first"), "it answered 500: the message is kept"
    await parts.store.cancel(job)
    await parts.evaluation.evaluate()
    rule = (await alerts.in_force())["queue-backlog"].rule
    assert await alerts.send_test(rule, by="ann") == ["json", "json-2"]
    # A process that has just begun knows of no failed try in its memory; the wait is kept with the channel.
    await parts.store.redis.delete("offload:channels")
    again = Alerts(parts.settings, parts.store.redis)
    await again.outbox.deliver()
    for path in ("/first", "/second"):
        fired, resolved, test = receiver.bodies(path)
        assert fired["title"] == "queue-backlog: warning" and "/admin/runbook#queue-backlog" in fired["message"]
        assert (resolved["type"], test["title"]) == ("success", "Test of queue-backlog")
        assert "nothing is wrong" in test["message"]


def test_an_address_that_is_none_is_refused_without_its_secrets() -> None:
    with pytest.raises(SystemExit, match=r"OFFLOAD_ALERT_URLS: address 2 \(nope://…\) is not one") as refused:
        others_of(["json://127.0.0.1/", "nope://user:secret@example.com"])
    assert "secret" not in str(refused.value)
