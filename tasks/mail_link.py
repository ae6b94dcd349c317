"""A link to a job's status page, mailed to the person who waits for it. It is made when the message is sent, and kept nowhere."""

from collections.abc import Iterator, Sequence

from settings import Queue
from tasks.email_batch import Outcome, report
from tasks.mail.attachment import FileMessage
from tasks.mail.send_group import deliver
from tasks.ports.mail import Addressee, Campaigns, Mailer
from tasks.sdk import Payload, Run, job


class MailLink(Payload, frozen=True):
    """The recipient, a text that ends before the link, the job that the link shows, and the hours for which it holds."""

    recipient: str
    subject: str
    text: str
    job_id: str
    hours: int


@job(
    queue=Queue.EMAIL_SENDER,
    public=False,
    personal=frozenset({"recipient", "subject", "text"}),
    retries=20,
    expected_s=1.0,
    expected_unit_s=0.6,
    unit="message",
)
async def mail_link(payload: MailLink, run: Run) -> Outcome:
    """Send the link once, under the rate, the retries and the suppressions of campaigns."""
    campaigns, mailer = run.use(Campaigns), run.use(Mailer)
    campaign = await campaigns.open_list(run.job_id, run.owner, payload.subject, payload.text, [payload.recipient])

    async def write(positions: Sequence[int]) -> Iterator[tuple[Addressee, bytes]]:
        link = campaigns.status_url(payload.job_id, payload.hours)
        message = FileMessage(mailer.sender, payload.subject, f"{payload.text.rstrip()}\n\n{link}\n", None)
        found = await campaigns.addressees(campaign.campaign_id, positions)
        return ((one, message.to(one.address, one.message_id)) for one in found)

    await deliver(run, campaign.campaign_id, list(range(1, campaign.to_send + 1)), write)
    return await report(run, campaign)
