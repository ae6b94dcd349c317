"""Tries of a delivery: when they come, in what order, and when a webhook is given up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from service.database import Webhook, WebhookDelivery
from service.services import Services
from service.webhooks import keys
from service.webhooks.deliveries import DELAYS_S
from service.webhooks.events import EVENTS
from service.webhooks.rows import NotDeliverable, new_delivery
from tests.webhooks.receiver import OK, Receiver, answering

BROKEN = answering("500 Internal Server Error", "no disk")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 5, 12, tzinfo=UTC), tick=False) as moved:
        yield moved


async def webhook_of(services: Services, receiver: Receiver) -> Webhook:
    return await services.webhooks.rows.create("acme", receiver.url, EVENTS)


async def delivery_of(services: Services, webhook: Webhook, number: int = 1, job_id: str = "job-1") -> WebhookDelivery:
    row = new_delivery(f"msg_{job_id}_{number}", webhook.webhook_id, "acme", webhook.url, "job.failed", job_id)
    row.number, row.body = number, f'{{"type":"job.failed","number":{number}}}'
    await services.webhooks.rows.add([row])
    return row


async def test_a_receiver_that_answers_500_for_a_day(
    services: Services, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answer = BROKEN
    webhook = await webhook_of(services, receiver)
    row, begun = await delivery_of(services, webhook), datetime.now(UTC)
    tried = await services.webhooks.deliveries.deliver(row.delivery_id)
    while tried.state == "later":
        assert tried.sentence == "It answered 500: no disk."
        clock.shift(timedelta(seconds=tried.again_s))
        tried = await services.webhooks.deliveries.deliver(row.delivery_id)
    assert tried.state == "failed"
    took = datetime.now(UTC) - begun
    assert timedelta(hours=20) < took < timedelta(hours=28), "a day"
    assert len(receiver.received) == len(DELAYS_S) + 1
    assert {one.headers["webhook-id"] for one in receiver.received} == {row.delivery_id}, "one id over all tries"
    assert len({one.headers["webhook-signature"] for one in receiver.received}) == len(receiver.received)
    stored = await services.webhooks.rows.delivery(row.delivery_id)
    assert (stored.state, stored.tries, stored.status_code) == ("failed", 11, 500)
    assert await services.redis.hgetall(keys.OUTCOMES) == {b"later": b"10", b"failed": b"1"}


async def test_redelivered_under_its_first_id(services: Services, receiver: Receiver) -> None:
    webhook = await webhook_of(services, receiver)
    row = await delivery_of(services, webhook)
    with pytest.raises(NotDeliverable, match="on its way"):
        await services.webhooks.rows.reopen(row.delivery_id)
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).state == "delivered"
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).state == "delivered"
    assert len(receiver.received) == 1, "what was delivered is not sent again"
    await services.webhooks.rows.reopen(row.delivery_id)
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).state == "delivered"
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] and first.body == second.body
    assert second.verified(webhook.secret)


async def test_messages_of_a_job_keep_their_order(services: Services, receiver: Receiver) -> None:
    webhook, other = await webhook_of(services, receiver), await webhook_of(services, receiver)
    first, second = await delivery_of(services, webhook, 1), await delivery_of(services, webhook, 2)
    unrelated = await delivery_of(services, webhook, 2, "job-2")
    receiver.answer = BROKEN
    deliver = services.webhooks.deliveries.deliver
    again_s = (await deliver(first.delivery_id)).again_s
    waits = await deliver(second.delivery_id)
    assert waits.state == "later" and 0 < waits.again_s <= again_s + 1 and "earlier" in waits.sentence
    receiver.answer = OK
    assert (await deliver(unrelated.delivery_id)).state == "delivered", "another job's does not wait"
    row = await delivery_of(services, other, 3)
    assert (await deliver(row.delivery_id)).state == "delivered", "nor does another webhook's"
    assert (await deliver(first.delivery_id)).state == "delivered"
    assert (await deliver(second.delivery_id)).state == "delivered"


async def test_three_days_of_failures_disable_it(
    services: Services, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.answer = BROKEN
    webhook = await webhook_of(services, receiver)
    await services.webhooks.dispatcher.sync()
    for number in range(7):
        await services.webhooks.deliveries.deliver(
            (await delivery_of(services, webhook, 1, f"job-{number}")).delivery_id
        )
        assert (await services.webhooks.rows.get(webhook.webhook_id)).disabled_at is None or number == 6
        clock.shift(timedelta(hours=12))
    disabled = await services.webhooks.rows.get(webhook.webhook_id)
    assert disabled.disabled_why == "Every delivery has failed for 3 days. It answered 500: no disk."
    row = await delivery_of(services, webhook, 1, "job-8")
    before = len(receiver.received)
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).sentence == "The webhook is disabled."
    assert len(receiver.received) == before
    with pytest.raises(NotDeliverable, match="enable it first"):
        await services.webhooks.rows.reopen(row.delivery_id)
    receiver.answer = OK
    await services.webhooks.rows.enable(webhook.webhook_id)
    await services.webhooks.rows.reopen(row.delivery_id)
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).state == "delivered"


async def test_a_success_or_a_pause_begins_a_new_streak(
    services: Services, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    webhook = await webhook_of(services, receiver)
    for number, (answer, hours) in enumerate([(BROKEN, 30), (BROKEN, 30), (OK, 30), (BROKEN, 90), (BROKEN, 1)]):
        receiver.answer = answer
        await services.webhooks.deliveries.deliver(
            (await delivery_of(services, webhook, 1, f"job-{number}")).delivery_id
        )
        clock.shift(timedelta(hours=hours))
    stored = await services.webhooks.rows.get(webhook.webhook_id)
    assert stored.disabled_at is None and stored.failing_since == datetime.now(UTC) - timedelta(hours=1)


async def test_gone_ends_it_at_once(services: Services, receiver: Receiver) -> None:
    receiver.answer = answering("410 Gone")
    webhook = await webhook_of(services, receiver)
    row = await delivery_of(services, webhook)
    assert (await services.webhooks.deliveries.deliver(row.delivery_id)).state == "failed"
    assert (await services.webhooks.rows.get(webhook.webhook_id)).disabled_why == "It answered 410 (gone)."
    assert await services.redis.hlen("offload:webhooks:disabled") == 1, "the alert's measure"


async def test_old_deliveries_leave_the_log(
    services: Services, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    webhook = await webhook_of(services, receiver)
    done, pending = await delivery_of(services, webhook), await delivery_of(services, webhook, 1, "job-2")
    await services.webhooks.deliveries.deliver(done.delivery_id)
    assert await services.webhooks.rows.forget() == 0
    clock.shift(timedelta(days=31))
    assert await services.webhooks.rows.forget() == 1
    (left,) = await services.webhooks.rows.deliveries(limit=9)
    assert left.delivery_id == pending.delivery_id
