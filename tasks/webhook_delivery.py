"""One message to one webhook. When it is tried again, and how often, the log of deliveries decides."""

from settings import Queue
from tasks.ports.webhooks import Webhooks
from tasks.sdk import Payload, Permanent, RetryLater, Run, job


class WebhookDelivery(Payload, frozen=True):
    """A row of the log."""

    delivery_id: str


@job(
    queue=Queue.WEBHOOKS,
    public=False,
    expected_s=0.5,
    unit="message",
    search_keys=("delivery_id",),
)
async def webhook_delivery(payload: WebhookDelivery, run: Run) -> dict[str, str]:
    """Send the message; a receiver that fails gets it again for a day."""
    tried = await run.use(Webhooks).deliver(payload.delivery_id)
    if tried.state == "later":
        raise RetryLater(tried.again_s, tried.sentence)
    if tried.state == "failed":
        raise Permanent(tried.sentence)
    return {"answer": tried.sentence}
