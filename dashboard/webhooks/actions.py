"""POST: test a webhook, enable one that was disabled, send a delivery once more."""

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION
from service.api.dependencies import ServicesDep


@post("/webhooks/{webhook:str}/test", status_code=303, opt={ACTION: "webhook.tested"})
async def try_webhook(services: ServicesDep, webhook: FromPath[str]) -> Redirect:
    await services.webhooks.dispatcher.send_test(await services.webhooks.rows.get(webhook))
    return Redirect(f"/admin/webhooks?webhook={webhook}&notice=webhook-tested", status_code=303)


@post("/webhooks/{webhook:str}/enable", status_code=303, opt={ACTION: "webhook.enabled"})
async def enable_webhook(services: ServicesDep, webhook: FromPath[str]) -> Redirect:
    """Jobs that ended in between are not told of."""
    await services.webhooks.rows.enable(webhook)
    await services.webhooks.dispatcher.sync()
    return Redirect("/admin/webhooks?notice=webhook-enabled", status_code=303)


@post("/webhooks/deliveries/{delivery:str}/redeliver", status_code=303, opt={ACTION: "webhook.redelivered"})
async def redeliver(services: ServicesDep, delivery: FromPath[str]) -> Redirect:
    """409 while it is on its way, or its webhook is disabled."""
    await services.webhooks.dispatcher.send_again(delivery)
    return Redirect("/admin/webhooks?notice=redelivered", status_code=303)
