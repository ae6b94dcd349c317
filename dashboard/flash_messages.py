"""Messages of a page after an action. The address carries only the key, so that no link can carry words of its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """`css` gives the tone, `icon` names a symbol."""

    words: str
    css: str = "health-good"
    icon: str = "completed"


NOTICES = {
    "started": Notice("The document is in, and its job is queued."),
    "submitted": Notice("Job queued."),
    "link-mailed": Notice("The message with the link is queued: this is its job."),
    "copied": Notice("A copy is queued: this is it."),
    "edited": Notice("The changed job is queued: this is it. The one it came from stays as it was."),
    "retried": Notice("Queued again, with its finished work kept."),
    "approved": Notice("Approved: the job goes on."),
    "rejected": Notice("Rejected: the job goes on, and is told so."),
    "cancelled": Notice("Cancelled."),
    "cancelling": Notice("Its worker has been asked to stop.", css="health-watch", icon="retrying"),
    "page-saved": Notice("Saved. The document's files follow."),
    "deleted": Notice("Deleted."),
    "view-renamed": Notice("Renamed."),
    "view-deleted": Notice("The view is deleted. No job is touched."),
    "view-default": Notice("Your jobs page opens with this view."),
    "view-default-off": Notice("Your jobs page opens with all jobs."),
    "steered": Notice("Saved. Takes effect immediately."),
    "lifted": Notice("Removed."),
    "open": Notice("Open again."),
    "ignored": Notice("Ignored: it no longer asks for attention."),
    "resolved": Notice("Resolved. Should it be seen again, it is called regressed."),
    "run": Notice("Started a manual run."),
    "paused": Notice("Paused: nothing runs until it is resumed.", css="health-watch", icon="pause"),
    "service-paused": Notice("Paused: jobs that need it wait.", css="health-watch", icon="pause"),
    "service-resumed": Notice("Open again. Jobs that waited for it come back now."),
    "resumed": Notice("Resumed. Runs that were due in the meantime are skipped."),
    "quieted": Notice("It finishes what it runs and takes nothing new.", css="health-watch", icon="pause"),
    "unquieted": Notice("It takes jobs again."),
    "stopping": Notice("It finishes what it can within the grace time, and ends.", css="health-watch", icon="retrying"),
    "deploy-marked": Notice("Marked on the charts."),
    "muted": Notice("Muted: shown here, and not sent.", css="health-watch", icon="pause"),
    "unmuted": Notice("Unmuted. Active alerts are sent now."),
    "created": Notice("The template works and is kept."),
    "saved": Notice("Saved. Running campaigns keep the text they started with."),
    "document-deleted": Notice("The document is deleted."),
    "webhook-tested": Notice("A test message is on its way."),
    "webhook-enabled": Notice("Enabled. Jobs that ended in the meantime are not told of."),
    "redelivered": Notice("On its way once more, under its first id."),
    "owner-saved": Notice("Saved. Takes effect everywhere within a second."),
    "alert-address-deleted": Notice("The address is deleted. Nothing more is sent to it."),
    "weights-saved": Notice("Saved. Takes effect everywhere within a second."),
    "key-created": Notice("Created. Its secret stands below, this once."),
    "key-rotated": Notice("A successor is made. Its secret stands below, this once."),
    "key-revoked": Notice("Revoked. Every process refuses it within a second."),
    "user-added": Notice("Added. The user can sign in now."),
    "user-changed": Notice("Saved. It holds for open sessions too."),
    "user-removed": Notice("Removed, and signed out everywhere."),
    "session-ended": Notice("Signed out."),
    "preferences-saved": Notice("Saved. All pages follow."),
    "rule-added": Notice("Added. It is measured within ten seconds."),
    "rule-saved": Notice("Saved. It is measured so within ten seconds."),
    "rule-reset": Notice("Back to what is declared."),
    "rule-removed": Notice("Removed. What fired of it is resolved within ten seconds."),
    "rule-off": Notice("Off: it is not measured, and what fired of it is resolved.", css="health-watch", icon="pause"),
    "rule-on": Notice("On again."),
    "rule-tried": Notice("A test message is on its way to each receiver."),
    "rule-no-receiver": Notice(
        "No receiver that it would reach is set: nothing was sent.", css="health-watch", icon="warning"
    ),
    "restored": Notice("Restored, with its files."),
}
