"""The recipients of a campaign, with the outcome of each: a page at a time, while it runs too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dashboard.jobs.masking import MASK
from dashboard.previews.view_query import View
from service.engine.store import Job
from service.mail.recipient_pages import STATUSES, RecipientRow, recipients_page
from service.services import Services

ADDRESS = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;@]+")
"""Whatever looks like an address in what a server said. It may hide too much, and that is the right side to err on."""

STATUS_BADGES = {
    "pending": ("queued", "state-queued"),
    "sending": ("active", "state-active"),
    "sent": ("completed", "state-completed"),
    "bounced": ("failed", "state-failed"),
    "failed": ("failed", "state-failed"),
    "unknown": ("help", "state-retrying"),
    "suppressed": ("cancelled", "state-cancelled"),
    "skipped": ("cancelled", "state-cancelled"),
}
"""The icon and the colour of each outcome, shown with its word."""


@dataclass(frozen=True)
class Recipients:
    """A page of a campaign's recipients; `next_after` leads to the next one, None at the end."""

    rows: Sequence[RecipientRow]
    next_after: int | None
    statuses: Sequence[str] = STATUSES
    template: str = "previews/recipients.html"

    def badge(self, status: str) -> tuple[str, str]:
        return STATUS_BADGES.get(status, STATUS_BADGES["unknown"])


async def recipients_preview(services: Services, campaign_id: str, view: View, *, masked: bool) -> Recipients | None:
    """The page that is looked at; None where the campaign has not been opened (any more)."""
    outcome = view.outcome if view.outcome in STATUSES else None
    rows, next_after = await recipients_page(services.database, campaign_id, after=view.after, status=outcome)
    if not rows and not view.after and outcome is None:
        return None
    return Recipients([_masked(row) for row in rows] if masked else rows, next_after)


def campaign_of(job: Job) -> str | None:
    """The campaign that a job sends; None for a job that sends none."""
    match job.type:
        case "email-batch" | "mail-file" | "mail-link":
            return job.id
        case "email-resend":
            return str(job.payload.get("campaign_id", ""))
        case "daily-digest":
            began = datetime.fromtimestamp((job.first_started_ms or job.created_ms) / 1000, UTC)
            return f"daily-digest-{job.payload.get('day') or began.date()}"
    return None


def _masked(row: RecipientRow) -> RecipientRow:
    reply = ADDRESS.sub(MASK, row.reply) if row.reply else row.reply
    return replace(row, user_id=MASK, email=MASK if row.email else None, reply=reply)
