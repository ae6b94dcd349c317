"""Counts of delivery results by the minute, next to the queue's own figures, where alerts and pages read them."""

import contextlib
from collections import Counter

from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.store.counters import Counters
from service.lib.throttle import Throttled
from settings import Queue

MAIL_QUEUE = Queue.EMAIL_SENDER
"""The queue whose tasks send messages, and whose rate bounds every message."""

MEASURES = {
    "sent": "mail_sent",
    "bounced": "mail_bounced",
    "failed": "mail_failed",
    "unknown": "mail_unknown",
    "pending": "mail_deferred",
}
"""Fields of the mail queue's counts of a minute. Their sum is the messages offered to the server in that minute;
`mail_failed` and `mail_bounced` in it are the failure rate."""

FINAL = tuple(MEASURES[status] for status in ("sent", "bounced", "failed", "unknown"))
"""Counts of messages that will not be offered again: their sum is the messages of a week."""

FLUSH_S = 0.25
"""Interval of writing: a round trip for each message would be a tenth of its cost, and no page reads so often."""


class MailCounters:
    """Counts results. A figure is not worth an attempt: it is lost while Redis is away."""

    def __init__(self, redis: Client) -> None:
        self._counters = Counters(redis)
        self._counted: Counter[str] = Counter()
        self._throttled = Throttled(self.flush, FLUSH_S)

    def count(self, status: str) -> None:
        """One more message with this result."""
        self._counted[MEASURES[status]] += 1
        self._throttled.soon()

    async def flush(self) -> None:
        """Write what has been counted so far."""
        counted, self._counted = self._counted, Counter()
        if counted:
            with contextlib.suppress(RedisError, OSError):
                await self._counters.count(str(MAIL_QUEUE), counted)

    async def close(self) -> None:
        """Write what was counted last."""
        await self._throttled.close()
        await self.flush()
