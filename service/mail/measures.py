"""What became of messages, counted by the minute beside the queue's own figures, where alerts and pages read them."""

import contextlib

from redis.exceptions import RedisError

from service.redis import Client
from service.store.scripts import Script
from settings import Queue

TALLY = Script("tally")

MEASURES = {
    "sent": "mail_sent",
    "bounced": "mail_bounced",
    "failed": "mail_failed",
    "unknown": "mail_unknown",
    "pending": "mail_deferred",
}
"""Fields of `keys.metrics("email-sender", minute)`. Their sum is the messages offered to the server in that minute;
`mail_failed` and `mail_bounced` in it are the failure rate."""


class Measures:
    """Counts verdicts."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def count(self, status: str) -> None:
        """One more message with this verdict. A figure is not worth an attempt: it is lost while Redis is away."""
        with contextlib.suppress(RedisError, OSError):
            await TALLY(self._redis, str(Queue.EMAIL_SENDER), MEASURES[status], 1)
