"""Results of deliveries are counted in the mail queue's minutes, and lost without harm while Redis is away."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from service.mail import counters
from service.mail.counters import FINAL, MailCounters


class Recorder:
    """Takes what would go to Redis."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.counted: list[tuple[str, dict[str, int]]] = []

    async def count(self, queue: str, counted: dict[str, int]) -> None:
        if self.error:
            raise self.error
        self.counted.append((queue, dict(counted)))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(counters, "Counters", lambda redis: recorder)
    return recorder


async def test_results_travel_together_once(recorder: Recorder) -> None:
    mail = MailCounters(None)  # type: ignore[arg-type]  # the recorder needs no client
    for status in ("sent", "sent", "bounced", "pending"):
        mail.count(status)
    await mail.close()
    await mail.flush()
    assert recorder.counted == [("email-sender", {"mail_sent": 2, "mail_bounced": 1, "mail_deferred": 1})]


async def test_what_was_counted_after_a_flush_is_not_lost(recorder: Recorder) -> None:
    mail = MailCounters(None)  # type: ignore[arg-type]  # the recorder needs no client
    mail.count("sent")
    await mail.flush()
    mail.count("failed")
    await mail.close()
    assert [counted for _, counted in recorder.counted] == [{"mail_sent": 1}, {"mail_failed": 1}]


async def test_an_absence_of_redis_fails_no_sending(recorder: Recorder) -> None:
    recorder.error = RedisConnectionError("gone")
    mail = MailCounters(None)  # type: ignore[arg-type]  # the recorder needs no client
    mail.count("sent")
    await mail.close()
    assert recorder.counted == []


async def test_any_other_error_is_not_hidden(recorder: Recorder) -> None:
    recorder.error = RuntimeError("a fault of ours")
    mail = MailCounters(None)  # type: ignore[arg-type]  # the recorder needs no client
    mail.count("sent")
    with pytest.raises(RuntimeError):
        await mail.flush()


def test_a_message_that_will_be_offered_again_is_not_final() -> None:
    assert FINAL == ("mail_sent", "mail_bounced", "mail_failed", "mail_unknown")
