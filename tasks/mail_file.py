"""A file of another job, sent to plain addresses: a report by mail, say, chained to the job that makes it."""

import mimetypes
from collections.abc import Iterator, Sequence

import msgspec

from settings import Queue
from tasks.email_batch import Outcome, report
from tasks.mail.attachment import Attachment, FileMessage
from tasks.mail.send_group import deliver
from tasks.ports.mail import Addressee, Campaigns, Mailer
from tasks.ports.sentences import Sentences
from tasks.sdk import Payload, Permanent, Run, job

RECIPIENTS_MAX = 100
"""A report has readers; whom a campaign writes to are users."""

TEXT_MAX = 50_000
"""Characters of the text sent with the file."""


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished file of a job of the same owner."""

    job_id: str
    name: str


class MailFile(Payload, frozen=True):
    """Addresses to send to, each once, and the file that is attached."""

    recipients: list[str]
    subject: str
    text: str
    attach: Artefact
    language: str = "en"
    """Language of the subject and the text, in which a link to a large file is explained."""


@job(
    queue=Queue.EMAIL_SENDER,
    public=False,
    personal=frozenset({"recipients", "subject", "text"}),
    retries=20,
    expected_s=1.0,
    expected_unit_s=0.6,
    unit="message",
)
async def mail_file(payload: MailFile, run: Run) -> Outcome:
    """Send the file to each recipient once, under the rate, the retries and the suppressions of campaigns."""
    _check(payload)
    campaigns = run.use(Campaigns)
    campaign = await campaigns.open_list(run.job_id, run.owner, payload.subject, payload.text, payload.recipients)
    data = await run.artefact_of(payload.attach.job_id, payload.attach.name)
    message = await _message(payload, data, run)

    async def write(positions: Sequence[int]) -> Iterator[tuple[Addressee, bytes]]:
        # One after the other as they are sent: many copies of a large file would not fit into the memory.
        found = await campaigns.addressees(campaign.campaign_id, positions)
        return ((one, message.to(one.address, one.message_id)) for one in found)

    await deliver(run, campaign.campaign_id, list(range(1, campaign.to_send + 1)), write)
    return await report(run, campaign)


def _check(payload: MailFile) -> None:
    if not 0 < len(payload.recipients) <= RECIPIENTS_MAX:
        raise Permanent(f"A file is mailed to 1 to {RECIPIENTS_MAX} recipients, not {len(payload.recipients):,}.")
    if len(payload.text) > TEXT_MAX:
        raise Permanent(f"The text has {len(payload.text):,} characters; {TEXT_MAX:,} are the limit.")


async def _message(payload: MailFile, data: bytes, run: Run) -> FileMessage:
    name, mailer = payload.attach.name, run.use(Mailer)
    if len(data) <= mailer.attachment_max:
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return FileMessage(mailer.sender, payload.subject, payload.text, Attachment(name, media_type, data))
    link = run.use(Campaigns).file_url(payload.attach.job_id, name)
    sentence = await run.use(Sentences).in_language(
        payload.language,
        lambda shown: shown(
            f"The file {name} ({len(data) / 1e6:,.1f} MB) is too large for a message. Until it is removed you can "
            "download it here, without signing in:"
        ),
    )
    return FileMessage(mailer.sender, payload.subject, f"{payload.text}\n\n{sentence}\n{link}\n", None)
