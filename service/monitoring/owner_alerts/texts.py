"""Texts of messages to alert addresses. Their translations are in the catalogues."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "confirm_subject": "Confirm alerts about the jobs of {owner}",
    "confirm_asked": "Alerts about the jobs of {owner} were asked for at this address. None is sent before you confirm it:",
    "confirm_holds": "The link holds for {days} days.",
    "confirm_ignore": "If you do not expect this, do nothing, or refuse it:",
    "failed_one": "1 job failed for good",
    "failed_many": "{count} jobs failed for good",
    "incomplete_one": "1 job was completed with pages or parts that are missing or doubtful",
    "incomplete_many": "{count} jobs were completed with pages or parts that are missing or doubtful",
    "near": "Limit nearly reached: {used} of {limit} {words}",
    "reached": "Limit reached: {used} of {limit} {words}",
    "waiting": "A job has waited since {moment}, longer than {minutes} minutes",
    "short_failed_one": "1 job failed",
    "short_failed_many": "{count} jobs failed",
    "short_incomplete_one": "1 job incomplete",
    "short_incomplete_many": "{count} jobs incomplete",
    "short_near": "a limit is nearly reached",
    "short_reached": "a limit is reached",
    "short_waiting": "a job waits",
    "since": "Since the last message about each:",
    "more": "and {count} more.",
    "unlinked": "It can be read with an API key only.",
    "gone": "It has been removed since.",
    "links_hold": "The links open without a login, for {days} days.",
    "why": "You get this because {address} was confirmed for alerts about the jobs of {owner}. About each kind there is one "
    "message in {minutes} minutes at most.",
    "stop": "To stop all of them:",
}
