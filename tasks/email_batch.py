"""A campaign: one message to each of many users, sent in parts of fifty, and a report of each result."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from settings import Queue
from settings.amounts import counted
from tasks.mail.render import Checked, Letter, check
from tasks.mail.segments import Segment
from tasks.mail.send_group import METER, deliver_letters
from tasks.mail.template import Source
from tasks.ports.mail import Campaign, Campaigns, Deliveries, Mailer, Templates
from tasks.sdk import MemoryCeiling, Payload, Permanent, Refused, Run, job
from tasks.sdk.types import INCOMPLETE_TAGS, incomplete

PART_RECIPIENTS = 50
"""At a hundred messages a minute half a minute: what a crash can cost, and what one owner can hold back another by."""

RECIPIENTS_MAX = 100_000
"""User ids in one request: some 700 KB, and at a hundred a minute seventeen hours of sending."""

CHECKED_AT_ONCE = 500
CHECK_TIMEOUT_S = 60.0

PART_RETRIES = 20
"""A part ends for crashes and little else: what servers reply is not an error of its own. Workers may be killed often."""

OUTCOMES = ("sent", "bounced", "failed", "suppressed", "skipped", "unknown")
"""Final statuses of a recipient, as in report.json and the counts."""


class EmailBatch(Payload, frozen=True):
    """Recipients, by `user_ids` or by `segment`, and the template."""

    template_id: str
    user_ids: list[int] | None = None
    segment: Segment | None = None


class EmailPart(Payload, frozen=True):
    """A part: some deliveries of a campaign, by their positions."""

    campaign_id: str
    positions: list[int]


class Outcome(msgspec.Struct):
    """Recipients by the outcome of them."""

    recipients: int
    sent: int
    bounced: int
    failed: int
    suppressed: int
    skipped: int
    unknown: int

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which the job is found."""
        return INCOMPLETE_TAGS if self.summary else ()

    @property
    def summary(self) -> str:
        """The message of a campaign that did not reach each recipient, other than those who want no mail; empty otherwise."""
        counts = {"bounced": self.bounced, "failed": self.failed, "in doubt": self.unknown}
        lacking = [f"{count:,} {how}" for how, count in counts.items() if count]
        return incomplete(f"of {counted(self.recipients, 'recipient')} {', '.join(lacking)}") if lacking else ""


async def accepts(payload: EmailBatch, checks: Any) -> int:
    """Number of recipients. Raises Refused."""
    if (payload.user_ids is None) == (payload.segment is None):
        raise Refused("Give either user_ids or a segment.", field="user_ids")
    if payload.user_ids is not None:
        _check_ids(payload.user_ids)
    template = await checks.use(Templates).find(payload.template_id, checks.owner)
    if template is None:
        raise Refused(f"There is no template {payload.template_id[:80]}.", field="template_id", status_code=404)
    return await mails(payload, checks)


async def mails(payload: EmailBatch, parts: Any) -> int:
    """Number of recipients."""
    if payload.user_ids is not None:
        return len(set(payload.user_ids))
    return int(await parts.use(Campaigns).segment_size(str(payload.segment)))


def _check_ids(user_ids: Sequence[int]) -> None:
    if not user_ids:
        raise Refused("user_ids is empty: a campaign needs a recipient.", field="user_ids")
    if len(user_ids) > RECIPIENTS_MAX:
        raise Refused(f"user_ids has {len(user_ids):,} ids; {RECIPIENTS_MAX:,} are the limit.", field="user_ids")
    strange = next((one for one in user_ids if not 0 <= one < 2**63), None)
    if strange is not None:
        raise Refused(f"user_ids: {str(strange)[:40]} is not a user id.", field="user_ids")


@job(
    queue=Queue.EMAIL_SENDER,
    accepts=accepts,
    mails=mails,
    search_keys=("template_id",),
    personal=frozenset({"user_ids"}),
    expected_s=2.0,
    expected_unit_s=0.6,
    unit="message",
)
async def email_batch(payload: EmailBatch, run: Run) -> Outcome:
    """Write to many users, each once, and report each result."""
    campaign = await _opened(payload, run)
    await _check_template(run, campaign)
    await send_in_parts(run, campaign, list(range(1, campaign.to_send + 1)))
    return await report(run, campaign)


@job(queue=Queue.EMAIL_SENDER, public=False, retries=PART_RETRIES, expected_s=1.0, expected_unit_s=0.6, unit="message")
async def email_part(payload: EmailPart, run: Run) -> int:
    """Write to some recipients of a campaign. The result is how many."""
    campaign = await found(run, payload.campaign_id)
    await deliver_letters(run, campaign.campaign_id, campaign.source, payload.positions)
    return len(payload.positions)


async def found(run: Run, campaign_id: str) -> Campaign:
    """A campaign that was opened. Raises Permanent where it has been deleted."""
    campaign = await run.use(Campaigns).find(campaign_id)
    if campaign is None:
        raise Permanent(f"The campaign {campaign_id} is no longer there.")
    return campaign


async def _opened(payload: EmailBatch, run: Run) -> Campaign:
    campaigns = run.use(Campaigns)
    opened = await campaigns.find(run.job_id)
    if opened is not None:
        return opened
    template = await run.use(Templates).find(payload.template_id, run.owner)
    if template is None:
        raise Permanent(f"There is no template {payload.template_id[:80]} any more.")
    return await campaigns.open(run.job_id, run.owner, template, segment=payload.segment, user_ids=payload.user_ids)


async def _check_template(run: Run, campaign: Campaign) -> None:
    """Render the template for every recipient before the first message goes out: a fault must not show half way."""
    if await run.recall("template-checked"):
        return
    largest = 0
    positions = iter(range(1, campaign.to_send + 1))
    while batch := list(islice(positions, CHECKED_AT_ONCE)):
        await run.stage(0, "Checking the template for each recipient", total_emails=campaign.to_send)
        letters = await run.use(Campaigns).letters(campaign.campaign_id, batch)
        largest = max(largest, await _check_batch(run, campaign.source, letters))
    most = await run.use(Mailer).size_max() if largest else None
    if most and largest > most:
        raise Permanent(
            f"A message has {largest:,} bytes, and the mail server takes {most:,} at most: nothing was sent."
        )
    await run.keep("template-checked", b"yes")


async def _check_batch(run: Run, source: Source, letters: list[Letter]) -> int:
    """Bytes of the largest message. Raises Permanent where the template does not work for one of these recipients."""
    try:
        found = await run.cpu(check, source, letters, run.use(Mailer).sender, timeout_s=CHECK_TIMEOUT_S)
    except TimeoutError:
        raise Permanent("The template takes too long to fill in.") from None
    except MemoryCeiling:
        raise Permanent("The template takes too much memory to fill in.") from None
    if not isinstance(found, Checked):
        raise Permanent(found[0].sentence)
    return found.largest


async def send_in_parts(run: Run, campaign: Campaign, positions: list[int]) -> None:
    """Send to these recipients as parts, and what a part that died left over from here."""
    groups = [positions[start : start + PART_RECIPIENTS] for start in range(0, len(positions), PART_RECIPIENTS)]
    if groups:
        parts = [EmailPart(campaign_id=campaign.campaign_id, positions=group) for group in groups]
        await run.parts(email_part, parts, METER, [len(group) for group in groups])
    left = await run.use(Deliveries).unsettled(campaign.campaign_id)
    for start in range(0, len(left), PART_RECIPIENTS):
        await deliver_letters(run, campaign.campaign_id, campaign.source, left[start : start + PART_RECIPIENTS])


async def report(run: Run, campaign: Campaign) -> Outcome:
    """Write report.json and the counts."""
    await run.artefact("report.json", report_file(run.use(Campaigns).report(campaign.campaign_id)), "application/json")
    counts = await run.use(Campaigns).counts(campaign.campaign_id)
    by_outcome = {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}
    await run.stage(99, "The report is written", total_recipients=campaign.recipients, **by_outcome)
    return Outcome(recipients=campaign.recipients, **by_outcome)


async def report_file(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """A JSON list of the rows, a row a line."""
    opening = b"[\n"
    async for row in rows:
        yield opening + msgspec.json.encode(row)
        opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"
