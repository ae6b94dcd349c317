"""Words that pages show out of values, such as a job's outcome: no template spells them, so the catalogue needs a list."""

from dashboard.capsule.sections import TITLES
from dashboard.documents.rows import SCAN_WORDS
from dashboard.durations import ENDS
from dashboard.jobs.row import TIME_TEXTS
from dashboard.keys.views import EXPIRIES, OVERLAPS
from dashboard.operations.selection import SHOWN_VERBS
from dashboard.owners.alert_addresses import ADDRESS_STATES
from dashboard.owners.views import LABELS
from dashboard.rendering import NAVIGATION
from dashboard.status_link.telling import HOURS
from settings.alert_rules import MEASURES, of_one

NAMED = (
    # States of jobs, operations, keys, webhook deliveries and rules; outcomes of attempts, schedules, actions and recipients.
    "Queued", "Scheduled", "Active", "Retrying", "Completed", "Failed", "Cancelled", "Expired", "Deleted",
    "Crashed", "Timeout", "Event", "Waiting", "Running", "Done", "Aborted", "Interrupted",
    "Skipped", "Missed", "Overlap", "Paused", "Valid", "Revoked", "Delivered", "Pending", "Disabled",
    "Firing", "Quiet", "Fired", "Resolved", "Muted", "Unmuted", "Tried",
    "Ok", "Succeeded", "Refused", "Sending", "Sent", "Bounced", "Unknown", "Suppressed",
    # Severities and roles.
    "Page", "Warning", "Critical", "Ticket", "Info", "Operator", "Viewer", "operator", "viewer",
    # The same as they stand in lists and in sentences.
    "queued", "scheduled", "active", "retrying", "completed", "failed", "cancelled", "expired", "deleted", "ok", "refused",
    "pending", "sending", "sent", "bounced", "unknown", "suppressed", "skipped", "fired", "resolved", "muted", "unmuted",
    "tried", "done", "stopped", "queue", "schedule", "job type", "owner", "died", "crashed", "timeout", "event", "retry",
    "deploy", "settings", "breaker", "worker", "alert", "pause", "limit", "rate", "above", "below",
    "day", "hour", "minute", "week", "month", "Hour", "Day", "Week", "Month", "any",
    # Labels of fields that are made of names.
    "Above how many", "Below how many",
    "For how many minutes", "Minutes between two messages", "Looks back over how many minutes", "Pages this month",
    "Not after", "Deadline", "Priority",
    # Names of what a job's progress counts, and units.
    "Pages processed", "Total pages", "Pages done", "Doubtful pages", "Documents done", "Total documents", "Emails sent",
    "Total emails", "Rows done", "Total rows", "Records done", "Total records", "Total recipients",
    "page", "pages", "document", "documents", "row", "rows", "message", "messages", "image", "images", "no end in sight",
    # Kinds of doubt about a page.
    "words", "unread", "writing", "language", "nothing", "picture", "layout", "correction", "other",
)  # fmt: skip


def named_words() -> list[str]:
    """All of them, each once."""
    words = [*NAMED, *(link.name for link in NAVIGATION), *(words for words, _ in ENDS.values()), *SHOWN_VERBS.values()]
    units = [
        unit for measure in MEASURES.values() if len(measure.unit) > 1 for unit in (measure.unit, of_one(measure.unit))
    ]
    labels = [text for pair in LABELS.values() for text in pair if text]
    values = [*EXPIRIES.values(), *OVERLAPS.values(), *SCAN_WORDS.values(), *HOURS.values(), *TITLES.values()]
    values += [*ADDRESS_STATES.values(), *TIME_TEXTS.values()]
    return list(dict.fromkeys([*words, *units, *labels, *values]))
