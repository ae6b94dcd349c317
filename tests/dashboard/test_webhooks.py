"""Webhooks of all owners, and the log of what was sent."""

import pytest_asyncio
from sqlalchemy import delete

from service.database import Webhook, WebhookDelivery
from service.engine.store import keys
from service.webhooks.rows import new_delivery
from tests.dashboard.conftest import VIEWER, Client, act
from tests.dashboard.made import Maker
from tests.webhooks.receiver import answering, receiving

URL = "https://8.8.8.8/hook?key=of-the-owner"


async def webhook_of(made: Maker, url: str = URL) -> Webhook:
    return await made.services.webhooks.rows.create("acme", url, ["job.failed"])


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_others(made: Maker) -> None:
    for one in await made.services.webhooks.rows.list():
        await made.services.webhooks.rows.delete(one.webhook_id)
    # Deliveries outlive their webhook, and tests of other files leave some.
    async with made.services.database.writing() as session:
        await session.execute(delete(WebhookDelivery))


async def test_a_page_without_any(viewer: Client) -> None:
    page = await viewer.get("/admin/webhooks")
    assert page.status_code == 200 and "No webhooks" in page.text and "Nothing was sent" in page.text
    assert (await viewer.get("/admin/webhooks?webhook=none")).status_code == 404


async def test_addresses_are_masked_for_viewers(viewer: Client, made: Maker) -> None:
    webhook = await webhook_of(made)
    page = (await viewer.get("/admin/webhooks")).text
    assert "https://8.8.8.8/…" in page and "of-the-owner" not in page and webhook.secret not in page
    assert "Send a test" not in page


async def test_tested_failed_disabled_enabled_and_redelivered(operator: Client, made: Maker) -> None:
    services = made.services
    async with receiving() as receiver:
        webhook = await webhook_of(made, receiver.url)
        here = f"/admin/webhooks/{webhook.webhook_id}"
        assert (await act(operator, f"{here}/test")).status_code == 303
        (row,) = await services.webhooks.rows.deliveries(limit=9)
        again = f"/admin/webhooks/deliveries/{row.delivery_id}/redeliver"
        assert (await act(operator, again)).status_code == 409, "it is on its way"
        receiver.answer = answering("410 Gone")
        services.webhooks.addresses.allow_private = True
        await services.webhooks.deliveries.deliver(row.delivery_id)
        page = (await operator.get(f"/admin/webhooks?webhook={webhook.webhook_id}")).text
        assert "Disabled" in page and "It answered 410" in page and receiver.url in page
        assert (await act(operator, again)).status_code == 409, "its webhook is disabled"
        assert (await act(operator, f"{here}/enable")).status_code == 303
        assert (await act(operator, again)).status_code == 303
        services.webhooks.addresses.allow_private = False
    stored: WebhookDelivery = await services.webhooks.rows.delivery(row.delivery_id)
    assert stored.state == "pending" and len((await services.store.list(queue="webhooks", limit=9)).jobs) == 2


async def test_a_job_leads_to_what_was_told_of_it(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    await made.store.redis.hset(keys.job(job_id), "callback_url", URL)
    for number, one in enumerate((job_id, "another")):
        row = new_delivery(f"msg_{number}", None, "acme", URL, "job.failed", one)
        row.body = "{}"
        await made.services.webhooks.rows.add([row])
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    here = f"/admin/webhooks?job={job_id}"
    assert f'href="{here}"' in page and URL in page
    log = (await operator.get(here)).text
    assert 'id="msg_0"' in log and 'id="msg_1"' not in log and f"/admin/webhooks/live?job={job_id}" in log
    operator.auth = VIEWER
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "https://8.8.8.8/…" in page and "of-the-owner" not in page
