"""What a page says after an action. The address carries only the key, so that nobody can put words into a link."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """`css` gives the tone, `icon` names a symbol."""

    words: str
    css: str = "health-good"
    icon: str = "completed"


NOTICES = {
    "started": Notice("Document uploaded and job queued."),
    "submitted": Notice("Job queued."),
    "copied": Notice("Copy queued: this is it."),
    "edited": Notice("Changed job queued: this is it. The original stays as it was."),
    "retried": Notice("Queued again, with its finished work kept."),
    "cancelled": Notice("Cancelled."),
    "cancelling": Notice("Its worker has been asked to stop.", css="health-watch", icon="retrying"),
    "deleted": Notice("Deleted."),
    "steered": Notice("Saved. Takes effect immediately."),
    "lifted": Notice("Removed."),
    "open": Notice("Reopened."),
    "ignored": Notice("Ignored: it no longer asks for attention."),
    "resolved": Notice("Resolved. If it is seen again, it is marked as regressed."),
    "run": Notice("Started a manual run."),
    "paused": Notice("Paused: nothing runs until it is resumed.", css="health-watch", icon="pause"),
    "resumed": Notice("Resumed. Runs that were due in the meantime are skipped."),
    "quieted": Notice("It finishes what it runs and takes nothing new.", css="health-watch", icon="pause"),
    "unquieted": Notice("It takes jobs again."),
    "stopping": Notice("It finishes what it can within the grace time, and ends.", css="health-watch", icon="retrying"),
    "muted": Notice("Muted: shown here, and not sent.", css="health-watch", icon="pause"),
    "unmuted": Notice("Unmuted. Active alerts are sent now."),
    "created": Notice("Template saved: it renders without errors."),
    "saved": Notice("Saved. Running campaigns keep the text they started with."),
    "document-deleted": Notice("Document deleted."),
    "restored": Notice("Restored, with its files."),
}
