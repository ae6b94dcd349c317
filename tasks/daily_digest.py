"""The daily digest: one message a day to every active user who asked for it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from settings.queues import Queue
from tasks.email_batch import Outcome, report, send_in_parts
from tasks.mail.template import Source
from tasks.ports.mail import Campaign, Campaigns, StoredTemplate
from tasks.ports.reports import DayLine, Reports
from tasks.sdk import Payload, Permanent, Run, job

UNITS = {Queue.PDF_PROCESSING: "pages", Queue.CSV_EXPORT: "rows", Queue.EMAIL_SENDER: "messages"}
"""Units of a queue's work, where they say more than the number of jobs."""

SUBJECT = "Your digest of {day}"

TEXT = """Hello {{{{ user.name }}}},

this was done here on {day}:

{lines}

You get this because you asked for the daily digest.
To stop it: {{{{ unsubscribe_url }}}}
"""

HTML = """<p>Hello {{{{ user.name }}}},</p>
<p>this was done here on {day}:</p>
<ul>
{lines}
</ul>
<p>You get this because you asked for the daily digest. <a href="{{{{ unsubscribe_url }}}}">Stop it</a>.</p>
"""


class DailyDigest(Payload, frozen=True):
    """`day` (2026-01-31) is the day it is sent; it tells of the day before. Default: today, in UTC."""

    day: str | None = None


@job(queue=Queue.EMAIL_SENDER, public=False, expected_s=2.0, expected_unit_s=0.6, unit="message")
async def daily_digest(payload: DailyDigest, run: Run) -> Outcome:
    """Send the digest of the day before. However often it runs, a user gets one message a day."""
    day = day_of(payload.day)
    campaign = await _campaign(day, run)
    await send_in_parts(run, campaign, list(range(1, campaign.to_send + 1)))
    return await report(run, campaign)


async def _campaign(day: date, run: Run) -> Campaign:
    # Named by its day: a second run finds what the first has sent.
    campaign_id = f"daily-digest-{day}"
    opened = await run.use(Campaigns).find(campaign_id)
    if opened is not None:
        return opened
    source = written(day - timedelta(days=1), await run.use(Reports).day(day - timedelta(days=1)))
    template = StoredTemplate("daily-digest", f"Daily digest of {day}", source)
    return await run.use(Campaigns).open(campaign_id, run.owner, template, segment="digest", user_ids=None)


def written(day: date, lines: Sequence[DayLine]) -> Source:
    """The digest's template, with the day's figures in it."""
    facts = [_fact(line) for line in lines if line.jobs] or ["It was a quiet day: nothing had to be done."]
    return Source(
        subject=SUBJECT.format(day=day),
        html=HTML.format(day=day, lines="\n".join(f"<li>{fact}</li>" for fact in facts)),
        text=TEXT.format(day=day, lines="\n".join(f"- {fact}" for fact in facts)),
    )


def _fact(line: DayLine) -> str:
    unit = UNITS.get(Queue(line.queue)) if line.units else None
    jobs = f"{line.jobs:,} {'job' if line.jobs == 1 else 'jobs'}"
    return f"{line.queue}: {jobs}" + (f", {line.units:,} {unit}" if unit else "")


def day_of(given: str | None) -> date:
    """The day a payload names, or today in UTC. Raises Permanent for one that is none."""
    try:
        return date.fromisoformat(given) if given else datetime.now(UTC).date()
    except ValueError:
        raise Permanent(f"{(given or '')[:40]!r} is not a day such as 2026-01-31.") from None
