"""`Outbox`: what is to be sent to Slack, the pager and other receivers, kept until it is taken."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import structlog

from service.engine.redis.client import Client
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.alerts import keys
from service.monitoring.alerts.other_receivers import notified, others_of
from service.monitoring.alerts.pagerduty import routing_key
from service.monitoring.alerts.records import Channel, Message
from settings import Settings
from settings.alert_rules import Rule

log = structlog.get_logger("offload.alerts")

TIMEOUT_S = 5.0
"""A receiver that takes longer is treated as away."""

BACKOFF_MAX_S = 300.0
"""While a receiver is away it is tried at least so often: its recovery is noticed within five minutes."""

KEEP_MS = 3 * 86_400_000
"""An alert of three days ago is history, not news."""

OUTBOX_MAX = 500

AT_ONCE = 20
"""Messages sent in one go: Slack takes about one a second and says when it is too many."""

RETRIED_STATUSES = {401, 403, 404, 408, 410, 425, 429}
"""Returns that concern the receiver as a whole: an address or a key that an operator can fix, a rate that passes. Any
other from 400 to 499 is about the message, which would be refused forever."""


class Outbox:
    """One list a receiver, sent in order."""

    def __init__(self, settings: Settings, redis: Client) -> None:
        self.redis = redis
        self.settings = settings
        urls = {"slack": settings.slack_webhook_url, "pager": settings.pager_webhook_url}
        self.urls = {name: url for name, url in urls.items() if url}
        self.others = others_of(settings.alert_urls)

    @property
    def receivers(self) -> Sequence[str]:
        """Names of the receivers that are set: slack, pager, and the others by the name of their service."""
        return [*self.urls, *self.others]

    def receivers_of(self, rule: Rule) -> list[str]:
        """Those that a firing of `rule` reaches: all but the pager, and the pager where the rule pages."""
        return [name for name in self.receivers if name != "pager" or rule.pages]

    def add_for(
        self, pipe: Any, rule: Rule, message_id: str, bodies: Mapping[str, dict[str, Any]], words: str
    ) -> list[str]:
        """Add a rule's message for each of its receivers, of `bodies` by kind. Returns the receivers' names."""
        names = self.receivers_of(rule)
        for name in names:
            self.add(pipe, message_id, name, bodies[name if name in self.urls else "other"], words)
        return names

    async def put(self, message_id: str, channel: str, body: dict[str, Any], words: str, *, once_s: int) -> bool:
        """Give a message to a receiver unless that was done within `once_s` seconds. Returns whether it was new."""
        pipe = self.redis.pipeline(transaction=True)
        pipe.set(keys.sent(message_id), 1, nx=True, ex=once_s)
        if not (await write_small(self.redis, pipe))[0]:
            return False
        self.add(pipe, message_id, channel, body, words)
        await write_small(self.redis, pipe)
        return True

    def add(self, pipe: Any, message_id: str, channel: str, body: dict[str, Any], words: str) -> None:
        """Add a message in the caller's transaction."""
        message = Message(message_id, channel, body, words, now_ms())
        pipe.rpush(keys.outbox(channel), msgspec.json.encode(message))
        pipe.ltrim(keys.outbox(channel), -OUTBOX_MAX, -1)

    async def waiting(self) -> list[Message]:
        """Messages that have not been sent yet, oldest first."""
        found = [raw for name in self._every for raw in await self.redis.lrange(keys.outbox(name), 0, -1)]
        messages = [msgspec.json.decode(raw, type=Message) for raw in found]
        return sorted(messages, key=lambda message: message.created_ms)

    @property
    def _every(self) -> Sequence[str]:
        # Also what waits for a receiver that is set no more is given up after some days.
        return list(dict.fromkeys(("slack", "pager", *self.others)))

    async def channels(self) -> list[Channel]:
        """Status of the receivers that are set."""
        return [await self._channel(name) for name in self.receivers]

    async def _channel(self, name: str) -> Channel:
        raw = await self.redis.hget(keys.CHANNELS, name)
        channel = msgspec.json.decode(raw, type=Channel) if raw else Channel(name)
        channel.waiting = await self.redis.llen(keys.outbox(name))
        return channel

    async def deliver(self) -> None:
        """Send what waits, receiver by receiver, as far as each takes it. A duty of the maintenance leader."""
        for name in self._every:
            await self._forget_old(name)
            if name in self.receivers:
                await self._deliver(await self._channel(name))

    async def _forget_old(self, name: str) -> None:
        while raw := await self.redis.lindex(keys.outbox(name), 0):
            message = msgspec.json.decode(raw, type=Message)
            if message.created_ms >= now_ms() - KEEP_MS:
                break
            log.error("alert.given_up", channel=name, text=message.words, after_days=KEEP_MS // 86_400_000)
            await self.redis.lrem(keys.outbox(name), 1, raw)

    async def _deliver(self, channel: Channel) -> None:
        if not channel.waiting or channel.again_ms > now_ms():
            return
        # Loading the certificates of the world takes long: only where there is something to send, and in a thread.
        certificates = await asyncio.to_thread(httpx.create_ssl_context)
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=certificates) as client:
            for _ in range(AT_ONCE):
                raw = await self.redis.lindex(keys.outbox(channel.name), 0)
                if raw is None or channel.again_ms > now_ms():
                    return
                message = msgspec.json.decode(raw, type=Message)
                taken = await self._send(client, channel, message)
                if taken:
                    await self.redis.lrem(keys.outbox(channel.name), 1, raw)
                pipe = self.redis.pipeline(transaction=True)
                pipe.hset(keys.CHANNELS, channel.name, msgspec.json.encode(channel))
                await write_small(self.redis, pipe)

    async def _send(self, client: httpx.AsyncClient, channel: Channel, message: Message) -> bool:
        """True where the message is dealt with: taken, or refused for good."""
        if channel.name in self.others:
            return await self._send_to_other(channel, message)
        body = message.body
        if channel.name == "pager":
            body = {"routing_key": routing_key(self.settings)} | body
        try:
            answer = await client.post(self.urls[channel.name], json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The text of an error may hold the address, which is a secret.
            self._away(channel, f"{channel.name} cannot be reached: {type(error).__name__}")
            return False
        if answer.is_success:
            channel.tries, channel.error, channel.again_ms = 0, "", 0
            return True
        answered = f"{channel.name} answered {answer.status_code} {answer.text[:120].strip()}".strip()
        if 400 <= answer.status_code < 500 and answer.status_code not in RETRIED_STATUSES:
            channel.refused = f"{message.words}: {answered}"
            log.error("alert.refused", channel=channel.name, reason=answered, text=message.words)
            return True
        self._away(channel, answered, retry_after_s(answer.headers.get("retry-after")))
        return False

    async def _send_to_other(self, channel: Channel, message: Message) -> bool:
        if await notified(self.others[channel.name], message.body):
            channel.tries, channel.error, channel.again_ms = 0, "", 0
            return True
        self._away(channel, f"{channel.name} did not take the message")
        return False

    def _away(self, channel: Channel, answered: str, wait_s: float | None = None) -> None:
        if not channel.error:
            log.warning("alert.delayed", channel=channel.name, reason=answered)
        channel.tries += 1
        channel.error = answered
        backoff_s = min(BACKOFF_MAX_S, 2.0 ** min(channel.tries, 10))
        channel.again_ms = now_ms() + round((backoff_s if wait_s is None else wait_s) * 1000)


def retry_after_s(header: str | None) -> float | None:
    """Seconds that a Retry-After header (RFC 9110, section 10.2.3) asks for; None where there is none that can be read."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
