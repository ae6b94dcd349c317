"""One message to one of an owner's alert addresses, sent once, as those of campaigns are."""

from collections.abc import Iterator, Sequence

import msgspec

from settings import Queue
from tasks.mail.message import message
from tasks.mail.send_group import deliver
from tasks.ports.mail import Addressee, Campaigns, Mailer
from tasks.ports.owner_alerts import OwnerAlertMails
from tasks.sdk import Payload, Run, job

DROPPED = "dropped"
"""Outcome of a message whose reader wants none any more."""


class OwnerAlert(Payload, frozen=True):
    """A message by its id. Neither its address nor its text stands in the job."""

    mail_id: str


class Alerted(msgspec.Struct):
    """Outcome of the message."""

    outcome: str


@job(
    queue=Queue.EMAIL_SENDER,
    public=False,
    retries=20,
    expected_s=1.0,
    unit="message",
    search_keys=("mail_id",),
)
async def owner_alert(payload: OwnerAlert, run: Run) -> Alerted:
    """Send the message under the rate, the retries and the suppressions of campaigns. However often it runs, once."""
    mails, campaigns, mailer = run.use(OwnerAlertMails), run.use(Campaigns), run.use(Mailer)
    letter = await mails.letter(payload.mail_id)
    if letter is None:
        await mails.settle(payload.mail_id, DROPPED)
        return Alerted(DROPPED)
    # Named by the message and not by the job: a second job of the same message finds what the first has sent. It is the
    # installation's, so that no owner is charged for its alerts.
    campaign = await campaigns.open_list(letter.mail_id, run.owner, letter.subject, "", [letter.address])

    async def write(positions: Sequence[int]) -> Iterator[tuple[Addressee, bytes]]:
        found = await campaigns.addressees(campaign.campaign_id, positions)
        return ((one, _written(one)) for one in found)

    def _written(one: Addressee) -> bytes:
        return message(
            sender=mailer.sender,
            to_name="",
            to_address=one.address,
            subject=letter.subject,
            html=letter.html,
            text=letter.text,
            message_id=one.message_id,
            unsubscribe_url=letter.unsubscribe_url,
        )

    await deliver(run, campaign.campaign_id, list(range(1, campaign.to_send + 1)), write)
    outcome = next(iter(await campaigns.counts(campaign.campaign_id)))
    await mails.settle(letter.mail_id, outcome)
    return Alerted(outcome)
