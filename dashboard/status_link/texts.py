"""Texts of the page behind a status link, and of a message with one. Their translations are in the catalogues."""

import math
from collections.abc import Mapping
from typing import Any

TEXTS: Mapping[str, str] = {
    "title": "Your job",
    "progress": "Progress",
    "files": "Results",
    "pages": "Page {done} of {total}",
    "soon": "Ready in less than a minute",
    "minute": "Ready in about a minute",
    "minutes": "Ready in about {count} minutes",
    "hours": "Ready in about {count} hours",
    "lost": "No answer at the moment. This page keeps trying.",
    "no_script": "This page refreshes itself every ten seconds.",
    "other": "Auf Deutsch",
    "text.txt": "Text",
    "searchable.pdf": "Searchable PDF",
    "pages.json": "Words and their places (JSON)",
    "queued": "It is waiting for its turn.",
    "scheduled": "It begins later, at the time that was set.",
    "active": "It is being worked on.",
    "retrying": "An attempt failed. The next one begins shortly.",
    "completed": "It is done.",
    "failed": "It failed.",
    "cancelled": "It was cancelled.",
    "expired": "It could not begin in time, so it was not begun at all.",
    "link_expired": "This link has expired. Ask its sender for a new one.",
    "link_altered": "This link is not valid. Check that it was copied whole.",
    "link_gone": "This job and its results have been removed.",
    "link_file": "This link opens one file only.",
    "away": "A part of the service is away at the moment. Nothing is lost: try again in a few seconds.",
    "broken": "Something went wrong on our side. It has been noted.",
}

MESSAGE: Mapping[str, str] = {
    "subject": "Your results",
    "text": "Hello,\n\nat this address you can see how far your request is, and download its results:",
}
"""Beginning of a message with a status link. The link follows."""


def time_left(texts: Mapping[str, str], left_ms: int) -> str:
    """Time until the end in words, as coarse as an estimate is: "Ready in about 4 minutes"."""
    minutes = math.ceil(left_ms / 60_000 - 0.5)
    if left_ms < 60_000:
        return texts["soon"]
    if minutes <= 1:
        return texts["minute"]
    return (
        texts["hours"].format(count=round(minutes / 60)) if minutes >= 100 else texts["minutes"].format(count=minutes)
    )


def pages_read(texts: Mapping[str, str], data: Mapping[str, Any]) -> str | None:
    """Count of pages in the reader's language, where the job counts pages."""
    done, total = data.get("pages_processed"), data.get("total_pages")
    if not isinstance(done, int) or not isinstance(total, int):
        return None
    return texts["pages"].format(done=done, total=total)


def size(count: int, language: str) -> str:
    """Bytes in decimal units with the language's decimal mark."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):  # the last one is used below
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    text = f"{amount:.0f}" if unit == "B" or amount >= 99.5 else f"{amount:.1f}"
    return f"{text.replace('.', ',') if language == 'de' else text} {unit}"
