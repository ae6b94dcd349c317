"""`WebhookDispatcher`: makes deliveries, and the jobs that carry them out, of the ends that the scripts have recorded.

An end stays recorded until its jobs are queued. What was done when a process died in between is done again, under the same ids: no
end is lost, and none is queued twice.
"""

import contextlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import structlog
from redis.exceptions import WatchError

from service.database import Webhook, WebhookDelivery
from service.engine.enqueuer import Enqueuer
from service.engine.preparation import KEY_HOLDS_S
from service.engine.redis.away import QueueServerAway
from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.states import State
from service.engine.store.records import ended_job
from service.engine.store.script_inputs import Idem, NewJob
from service.engine.store.workflows import ended_workflow
from service.lib.outages import put_off
from service.lib.reminder import Reminder
from service.webhooks import keys
from service.webhooks.events import WORKFLOW_ENDED, body_of, event_of, message_id, workflow_body
from service.webhooks.rows import WebhookRows, new_delivery, subscribed
from tasks.webhook_delivery import WebhookDelivery as DeliveryPayload
from tasks.webhook_delivery import webhook_delivery

log = structlog.get_logger("offload.webhooks")

WORKFLOW_WORDS = 4
"""Words of the message of a workflow's end; that of a job's has three."""

AT_ONCE = 100
"""Ends that one transaction deals with."""

OWNER = "webhooks:{owner}"
"""Owner of an owner's delivery jobs: no API key's owner has a colon in it, and each owner has a turn of its own in the queue."""


class WebhookDispatcher:
    """Duties of maintenance."""

    def __init__(self, redis: Client, rows: WebhookRows, enqueuer: Enqueuer) -> None:
        self.redis = redis
        self.rows = rows
        self.enqueuer = enqueuer
        self.away = Reminder()

    async def dispatch(self) -> None:
        """Queue the deliveries of all ends that are noted. Waits where the database is away."""
        with put_off(self.away, log, "webhook.delayed"):
            for place in places_of(self.redis).all:
                # The ends of a server that is away are read when it is back.
                with contextlib.suppress(QueueServerAway):
                    await self._dispatch_of(place.client)

    async def _dispatch_of(self, redis: Client) -> None:
        while raws := await redis.lrange(keys.ENDED, 0, AT_ONCE - 1):
            await self._dispatch(raws)
            pipe = redis.pipeline(transaction=True)
            for raw in raws:
                # By value: another process that led a moment ago may have removed some.
                pipe.lrem(keys.ENDED, 1, raw)
            await pipe.execute()

    async def _dispatch(self, raws: Sequence[bytes]) -> None:
        ends = [end for raw in raws if (end := read_end(raw)) is not None]
        webhooks = await self.rows.of_owners({end.owner for end in ends})
        deliveries = [one for end in ends for one in deliveries_of(end, webhooks)]
        await self.rows.add(deliveries)
        await self.queue(deliveries)

    async def queue(self, deliveries: Sequence[WebhookDelivery], *, again: str = "") -> None:
        """Queue the jobs of deliveries that are kept, each only once; once more under another `again`."""
        requests = [await self._request(one, again) for one in deliveries]
        if requests:
            await self.enqueuer.store.queued(requests)

    async def send_test(self, webhook: Webhook) -> str:
        """Queue a test message. Returns its delivery's id."""
        row = await self.rows.add_trial(webhook)
        await self.queue([row])
        return row.delivery_id

    async def send_again(self, delivery_id: str) -> None:
        """Queue a delivery that has ended once more. Raises NoSuchDelivery, NotDeliverable."""
        await self.queue([await self.rows.reopen(delivery_id)], again=f":{secrets.token_hex(8)}")

    async def _request(self, delivery: WebhookDelivery, again: str) -> NewJob:
        payload = DeliveryPayload(delivery_id=delivery.delivery_id)
        owner = OWNER.format(owner=delivery.owner)
        # No bound on how many wait: what would be refused here would be lost.
        request = await self.enqueuer.request(webhook_delivery, payload, owner=owner)
        request.idem = Idem(delivery.delivery_id + again, delivery.delivery_id, KEY_HOLDS_S)
        return request

    async def mend(self) -> None:
        """See to deliveries that are long overdue. One whose job is gone, with the queue server's data say, gets a new one;
        one whose job was ended some other way ends with it, so that it no longer holds up those behind it.
        """
        last = ""
        while rows := await self.rows.overdue(last):
            for row in rows:
                await self._mend(row)
            last = rows[-1].delivery_id

    async def _mend(self, row: WebhookDelivery) -> None:
        found = await self.enqueuer.store.list(search=("delivery_id", row.delivery_id), limit=1)
        job = found.jobs[0] if found.jobs else None
        if job is None or job.state is State.COMPLETED:
            log.warning("webhook.delivery_requeued", delivery=row.delivery_id)
            await self.queue([row], again=f":{secrets.token_hex(8)}")
        elif job.state.terminal:
            await self.rows.give_up(row.delivery_id, f"Its job is {job.state}: {job.error or job.message}")

    async def sync(self) -> None:
        """Bring what the scripts know of owners' webhooks in line with the table.

        Watched, so that two processes at it cannot write an older state over a newer one.
        """
        for place in places_of(self.redis).all:
            # One that is away is brought in line once it is back.
            with contextlib.suppress(QueueServerAway):
                await self._sync(place.client)

    async def _sync(self, redis: Client) -> None:
        while True:
            async with redis.pipeline(transaction=True) as pipe:
                await pipe.watch(keys.OWNERS, keys.DISABLED)
                before = [await pipe.hgetall(keys.OWNERS), await pipe.hgetall(keys.DISABLED)]
                now = _flags(await self.rows.list())
                if before == [{k.encode(): v.encode() for k, v in one.items()} for one in now]:
                    return
                pipe.multi()
                for key, flags in zip((keys.OWNERS, keys.DISABLED), now, strict=True):
                    pipe.delete(key)
                    if flags:
                        pipe.hset(key, mapping=flags)
                try:
                    await pipe.execute()
                    return
                except WatchError:
                    continue


class End(NamedTuple):
    """End of a job or of a workflow, the `number`th of it, with the message that tells of it."""

    id: str
    number: int
    owner: str
    callback_url: str | None
    event: str
    body: str


def read_end(raw: bytes) -> End | None:
    """The end that a script has recorded; None, with a line in the log, where it cannot be read."""
    try:
        if len(msgspec.msgpack.decode(raw)) == WORKFLOW_WORDS:
            workflow = ended_workflow(raw)
            more = (workflow.callback_url or None, WORKFLOW_ENDED, workflow_body(workflow))
            return End(workflow.id, workflow.number, workflow.owner, *more)
        job, number = ended_job(raw)
        return End(job.id, number, job.owner, job.callback_url, event_of(job), body_of(job))
    except Exception:
        # One that cannot be read must not hold up all others.
        log.exception("webhook.event_unreadable", raw=raw[:500])
        return None


def deliveries_of(end: End, webhooks: Sequence[Webhook]) -> list[WebhookDelivery]:
    """The deliveries of one end: to its own URL, and to each webhook of its owner that wants it."""
    targets: list[tuple[str | None, str]] = [(None, end.callback_url)] if end.callback_url else []
    targets += [
        (one.webhook_id, one.url) for one in webhooks if one.owner == end.owner and end.event in subscribed(one)
    ]
    found = []
    for webhook_id, url in targets:
        delivery_id = message_id(end.id, end.number, webhook_id or url)
        row = new_delivery(delivery_id, webhook_id, end.owner, url, end.event, end.id)
        row.number, row.body = end.number, end.body
        found.append(row)
    return found


def _flags(webhooks: Sequence[Webhook]) -> tuple[dict[str, str], dict[str, str]]:
    """For each owner the states that its webhooks want, and for each disabled webhook a sentence."""
    wanted: dict[str, set[str]] = {}
    disabled: dict[str, str] = {}
    for one in webhooks:
        if one.disabled_at is not None:
            disabled[one.webhook_id] = f"{one.owner}: {one.disabled_why or 'disabled'}"
        else:
            wanted.setdefault(one.owner, set()).update(event.removeprefix("job.") for event in subscribed(one))
    return {owner: " ".join(sorted(states)) for owner, states in wanted.items()}, disabled
