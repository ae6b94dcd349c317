"""An absent mail server is noted for all workers, tried again by one of them, and explained to an operator."""

from collections.abc import AsyncIterator

import pytest

from service.engine.redis.client import Client, connect
from service.lib.clock import now_ms
from service.mail import server_status
from service.mail.keys import SERVER
from service.mail.server_status import Absence, ServerStatus, advice
from tasks.ports.mail import MailServerAway


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    redis = connect(redis_url)
    yield redis
    await redis.aclose(close_connection_pool=True)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("535 5.7.8 authentication failed", "user name and password"),
        ("550 5.4.5 daily quota exceeded", "provider's limit"),
        ("certificate verify failed", "certificate"),
        ("no mail server is configured", "Set OFFLOAD_SMTP_URL and restart"),
        ("553 sender rejected", "OFFLOAD_MAIL_FROM"),
        ("connection refused", "the server runs"),
    ],
)
def test_each_kind_of_refusal_has_its_remedy(reason: str, remedy: str) -> None:
    assert remedy in advice(reason)


def test_an_absence_says_since_when_why_and_what_to_do() -> None:
    absence = Absence("connection refused.", 1_777_600_000_000, now_ms() + 5_000, 2)
    assert not absence.due and absence.sentence.count("refused") == 1
    assert absence.sentence.startswith(
        "the mail server takes no messages since 2026-05-01 01:46 UTC: connection refused. Check"
    )
    assert 4 < (absence.away().retry_s or 0) <= 5 and absence.away(0).retry_s == 0.5


async def test_one_worker_tries_again_and_the_others_wait(redis: Client) -> None:
    mine, other = ServerStatus(redis), ServerStatus(redis)
    assert not await mine.admit()
    assert isinstance(await mine.refused("connection refused", probe=False), MailServerAway)
    with pytest.raises(MailServerAway):
        await other.admit()
    await redis.hset(SERVER, "next_ms", str(now_ms() - 1))
    assert await other.admit(), "the next try is due, and this worker has it"
    with pytest.raises(MailServerAway):
        await ServerStatus(redis).admit()
    await other.accepted()
    other.end_probe()
    assert await mine.read() is None and not await ServerStatus(redis).admit()


async def test_the_pause_doubles_up_to_a_minute_and_the_beginning_stays(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_status, "now_ms", lambda: 1_777_600_000_000)
    status = ServerStatus(redis)
    pauses = []
    for _ in range(8):
        await status.refused("connection refused", probe=True)
        found = await status.read()
        assert found and found.since_ms == 1_777_600_000_000
        pauses.append((found.next_ms - found.since_ms) // 1000)
    assert (pauses, found.tries) == ([2, 4, 8, 16, 32, 60, 60, 60], 8)
