"""The daily digest: one message a day to every active user who asked for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from settings.queues import Queue
from tasks.email_batch import Outcome, report, send_in_parts
from tasks.mail.template import Source
from tasks.ports.mail import Campaign, Campaigns, StoredTemplate
from tasks.ports.reports import DayLine, Reports
from tasks.ports.sentences import Sentences
from tasks.sdk import Payload, Permanent, Run, job

UNITS = {Queue.PDF_PROCESSING: "page", Queue.CSV_EXPORT: "row", Queue.EMAIL_SENDER: "message"}
"""Units of a queue's work, where they say more than the number of jobs."""

NAME, LINK = "{{ user.name }}", "{{ unsubscribe_url }}"
"""Places in the template for what each recipient has of their own."""

Shown = Callable[[str], str]
"""Shows a sentence in the reader's language."""


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
    source = await _source(day - timedelta(days=1), run)
    template = StoredTemplate("daily-digest", f"Daily digest of {day}", source)
    return await run.use(Campaigns).open(campaign_id, run.owner, template, segment="digest", user_ids=None)


async def _source(day: date, run: Run) -> Source:
    lines, sentences = await run.use(Reports).day(day), run.use(Sentences)
    return by_locale(
        {
            language: await sentences.in_language(language, lambda shown: written(day, lines, shown))
            for language in sentences.languages
        }
    )


def written(day: date, lines: Sequence[DayLine], shown: Shown) -> Source:
    """The digest's template in one language, with the day's figures in it."""
    facts = [_fact(line, shown) for line in lines if line.jobs] or [
        shown("It was a quiet day: nothing had to be done.")
    ]
    greeting = shown(f"Hello {NAME},")
    heading = shown(f"this was done here on {day} (UTC):")
    reason = shown("You get this because you asked for the daily digest.")
    items, listed = "\n".join(f"<li>{fact}</li>" for fact in facts), "\n".join(f"- {fact}" for fact in facts)
    stop, word = shown("To stop the daily digest:"), shown("Unsubscribe")
    link = f'<a href="{LINK}">{word}</a>'
    return Source(
        subject=shown(f"Your digest of {day}"),
        html=f"<p>{greeting}</p>\n<p>{heading}</p>\n<ul>\n{items}\n</ul>\n<p>{reason} {stop} {link}</p>\n",
        text=f"{greeting}\n\n{heading}\n\n{listed}\n\n{reason}\n{stop} {LINK}\n",
    )


def by_locale(sources: Mapping[str, Source]) -> Source:
    """One template of those in several languages: each user gets the one of the locale, and the first where there is none."""
    default, *others = sources
    fields = {field: getattr(sources[default], field) for field in ("subject", "html", "text")}
    for language in others:
        for field, otherwise in fields.items():
            text = getattr(sources[language], field)
            fields[field] = (
                f'{{% if user.locale[:2] | lower == "{language}" %}}{text}{{% else %}}{otherwise}{{% endif %}}'
            )
    return Source(**fields)


def _fact(line: DayLine, shown: Shown) -> str:
    counts = [_counted(line.jobs, "job")]
    if line.units and (unit := UNITS.get(Queue(line.queue))):
        counts.append(_counted(line.units, unit))
    return f"{line.queue}: {', '.join(map(shown, counts))}"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def day_of(given: str | None) -> date:
    """The day a payload names, or today in UTC. Raises Permanent for one that is none."""
    try:
        return date.fromisoformat(given) if given else datetime.now(UTC).date()
    except ValueError:
        raise Permanent(f"{(given or '')[:40]!r} is not a day such as 2026-01-31.") from None
