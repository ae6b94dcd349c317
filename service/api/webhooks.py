"""Webhooks of owners: addresses that are told how jobs end, with the log of what was sent to them."""

from typing import Annotated

from litestar import Router, delete, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, JSONBody, QueryParameter

from service.api.audit_middleware import AUDIT
from service.api.auth import Caller
from service.api.dependencies import CallerDep, ServicesDep
from service.api.openapi import refusals
from service.api.strict_json import StrictJson
from service.api.webhook_bodies import (
    DeliveryList,
    DeliveryQueued,
    SecretBody,
    WebhookBody,
    WebhookList,
    WebhookMade,
    WebhookRequest,
    delivery_body,
    webhook_body,
)
from service.database.api_keys import Scope
from service.webhooks.addresses import RefusedUrl
from service.webhooks.rows import NoSuchDelivery
from tasks.sdk.errors import Refused

SHOWN = 50


@post(
    "/",
    status_code=201,
    opt={AUDIT: "webhook.created"},
    dto=StrictJson,
    return_dto=None,
    responses=refusals(400, 409),
    summary="Make a webhook",
)
async def create_webhook(data: JSONBody[WebhookRequest], services: ServicesDep, caller: CallerDep) -> WebhookMade:
    """The host is looked up now and at each delivery: private, loopback and link-local addresses are refused."""
    _check_whole(caller)
    try:
        await services.webhooks.addresses.check(data.url)
    except RefusedUrl as error:
        raise Refused(str(error), field="url") from None
    made = await services.webhooks.rows.create(caller.owner, data.url, data.events)
    await services.webhooks.dispatcher.sync()
    return WebhookMade(made.webhook_id, made.secret)


@get("/", responses=refusals(), summary="The owner's webhooks")
async def list_webhooks(services: ServicesDep, caller: CallerDep) -> WebhookList:
    _check_whole(caller)
    return WebhookList([webhook_body(one) for one in await services.webhooks.rows.list(caller.owner)])


@get(
    "/callback-secret",
    opt={"scope": Scope.SUBMIT},
    responses=refusals(),
    summary="The secret that signs calls of `callback_url`s",
)
async def read_callback_secret(services: ServicesDep, caller: CallerDep) -> SecretBody:
    _check_whole(caller)
    return SecretBody(services.webhooks.callback_secret(caller.owner))


@get("/{webhook_id:str}", responses=refusals(404), summary="One webhook")
async def read_webhook(webhook_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> WebhookBody:
    _check_whole(caller)
    return webhook_body(await services.webhooks.rows.get(webhook_id, caller.owner))


@delete(
    "/{webhook_id:str}",
    opt={AUDIT: "webhook.deleted"},
    responses=refusals(404),
    summary="Delete a webhook with its log",
)
async def delete_webhook(webhook_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> None:
    _check_whole(caller)
    await services.webhooks.rows.delete(webhook_id, caller.owner)
    await services.webhooks.dispatcher.sync()


@post(
    "/{webhook_id:str}/test",
    status_code=202,
    opt={AUDIT: "webhook.tested"},
    responses=refusals(404),
    summary="Send a message of the type webhook.test",
)
async def try_webhook(webhook_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> DeliveryQueued:
    """It goes the way of all others: its outcome stands in the log of deliveries."""
    _check_whole(caller)
    return DeliveryQueued(
        await services.webhooks.dispatcher.send_test(await services.webhooks.rows.get(webhook_id, caller.owner))
    )


@post(
    "/{webhook_id:str}/enable",
    status_code=200,
    opt={AUDIT: "webhook.enabled"},
    responses=refusals(404),
    summary="Enable a webhook that was disabled after failures",
)
async def enable_webhook(webhook_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> WebhookBody:
    """Jobs that ended in between are not told of."""
    _check_whole(caller)
    webhook = await services.webhooks.rows.enable(webhook_id, caller.owner)
    await services.webhooks.dispatcher.sync()
    return webhook_body(webhook)


@get("/{webhook_id:str}/deliveries", responses=refusals(400, 404), summary="What was sent, newest first")
async def list_deliveries(
    webhook_id: FromPath[str],
    services: ServicesDep,
    caller: CallerDep,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = SHOWN,
    before: Annotated[str | None, QueryParameter()] = None,
) -> DeliveryList:
    """`before` is the id of a delivery: those older than it."""
    _check_whole(caller)
    await services.webhooks.rows.get(webhook_id, caller.owner)
    if before is not None:
        await services.webhooks.rows.delivery(before, caller.owner)
    rows = await services.webhooks.rows.deliveries(webhook_id, limit=limit + 1, before=before)
    more = rows[limit - 1].delivery_id if len(rows) > limit else None
    return DeliveryList([delivery_body(row) for row in rows[:limit]], more)


@post(
    "/{webhook_id:str}/deliveries/{delivery_id:str}/redeliver",
    status_code=202,
    opt={AUDIT: "webhook.redelivered"},
    responses=refusals(404, 409),
    summary="Send a message once more, under its first id",
)
async def redeliver(
    webhook_id: FromPath[str], delivery_id: FromPath[str], services: ServicesDep, caller: CallerDep
) -> DeliveryQueued:
    """409 while it is on its way, or its webhook is disabled."""
    _check_whole(caller)
    row = await services.webhooks.rows.delivery(delivery_id, caller.owner)
    if row.webhook_id != webhook_id:
        raise NoSuchDelivery(delivery_id)
    await services.webhooks.dispatcher.send_again(delivery_id)
    return DeliveryQueued(delivery_id)


def _check_whole(caller: Caller) -> None:
    """Raise 403 for a key of some job types only: a webhook is told of every type."""
    if caller.job_types:
        raise PermissionDeniedException(
            f"This API key is for {', '.join(sorted(caller.job_types))} only, and webhooks tell of every job."
        )


routes = Router(
    "/webhooks",
    route_handlers=[
        create_webhook,
        list_webhooks,
        read_callback_secret,
        read_webhook,
        delete_webhook,
        try_webhook,
        enable_webhook,
        list_deliveries,
        redeliver,
    ],
    tags=["webhooks"],
)
