"""Sending again to recipients of a campaign that may or may not have got their message."""

from typing import Any

import msgspec

from settings import Queue
from tasks.email_batch import Outcome, found, report, send_in_parts
from tasks.ports.mail import Campaigns, Deliveries
from tasks.sdk import Payload, Refused, Run, job


class EmailResend(Payload, frozen=True):
    """The campaign, by the id of its email-batch job."""

    campaign_id: str


async def accepts(payload: EmailResend, checks: Any) -> int:
    """Number of recipients in doubt. Raises Refused."""
    campaigns = checks.use(Campaigns)
    campaign = await campaigns.find(payload.campaign_id)
    if campaign is None or campaign.owner != checks.owner:
        raise Refused(f"There is no campaign {payload.campaign_id[:80]}.", field="campaign_id", status_code=404)
    in_doubt = int((await campaigns.counts(payload.campaign_id)).get("unknown", 0))
    if not in_doubt:
        raise Refused("No recipient of this campaign is in doubt.", field="campaign_id", status_code=409)
    return in_doubt


async def mails(payload: EmailResend, parts: Any) -> int:
    """Number of recipients in doubt."""
    return int((await parts.use(Campaigns).counts(payload.campaign_id)).get("unknown", 0))


@job(
    queue=Queue.EMAIL_SENDER,
    accepts=accepts,
    mails=mails,
    search_keys=("campaign_id",),
    expected_s=2.0,
    expected_unit_s=0.6,
    unit="message",
)
async def email_resend(payload: EmailResend, run: Run) -> Outcome:
    """Send a campaign's message again to recipients in doubt, with the Message-ID it had: some may get it twice."""
    campaign = await found(run, payload.campaign_id)
    stored = await run.recall("positions")
    if stored is None:
        positions = await run.use(Deliveries).reopen(campaign.campaign_id)
        await run.keep("positions", msgspec.json.encode(positions))
    else:
        positions = msgspec.json.decode(stored, type=list[int])
    await send_in_parts(run, campaign, positions)
    return await report(run, campaign)
