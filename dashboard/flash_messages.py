"""What a page says after an action. The address carries only the key, so that nobody can put words into a link."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """`css` gives the tone, `icon` names a symbol."""

    words: str
    css: str = "health-good"
    icon: str = "completed"


NOTICES = {
    "started": Notice("The document is in, and its job is queued."),
    "submitted": Notice("The job is taken."),
    "copied": Notice("A copy is queued: this is it."),
    "edited": Notice("The changed job is queued: this is it. The one it came from stays as it was."),
    "retried": Notice("Queued again, with its finished work kept."),
    "cancelled": Notice("Cancelled."),
    "cancelling": Notice("Its worker has been asked to stop.", css="health-watch", icon="retrying"),
    "deleted": Notice("Deleted."),
    "steered": Notice("Set. It takes effect at once."),
    "lifted": Notice("Lifted."),
    "open": Notice("Open again."),
    "ignored": Notice("Ignored: it no longer asks for attention."),
    "resolved": Notice("Resolved. Should it be seen again, it is called regressed."),
    "run": Notice("A run has been begun, beside the slots."),
    "paused": Notice("Paused: its slots pass without a run.", css="health-watch", icon="pause"),
    "resumed": Notice("Resumed. Slots that passed are not made up for."),
    "quieted": Notice("It finishes what it runs and takes nothing new.", css="health-watch", icon="pause"),
    "unquieted": Notice("It takes jobs again."),
    "stopping": Notice("It finishes what it can within the grace time, and ends.", css="health-watch", icon="retrying"),
    "muted": Notice("Muted: it is watched and shown, and nothing is sent.", css="health-watch", icon="pause"),
    "unmuted": Notice("Unmuted. What fires and has not been told is told now."),
    "created": Notice("The template works and is kept."),
    "saved": Notice("Saved. Campaigns that have begun keep the words they began with."),
    "document-deleted": Notice("The document is deleted."),
    "restored": Notice("Restored, with its files."),
}
