"""What a server's reply means for a delivery."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.database.column_types import utc_now
from service.mail.smtp_transaction import Reply

TRIES_MAX = 7
"""Temporary refusals after which a delivery has failed: with the waits below some twenty minutes, enough for greylisting."""

FIRST_WAIT_S = 5.0
"""Before the second try. Each further wait is three times as long, half of it random: 5, 15, 45, 135, 405, 1,215 s."""

UNKNOWN_TEXT = "the connection or the worker ended between the last byte and the server's answer"


@dataclass(slots=True, frozen=True)
class Verdict:
    """How a delivery stands now."""

    status: str
    code: int | None = None
    text: str = ""
    tries: int = 0
    due_at: datetime | None = None
    about_recipient: bool = False
    """A bounce that says something about the address, and not about us or the message's sender."""


def verdict_of(reply: Reply, tries: int) -> Verdict:
    """2xx sent, 5xx bounced, everything else tried again later."""
    if 200 <= reply.code < 300:
        return Verdict("sent", reply.code, reply.text, tries)
    if reply.code >= 500:
        return Verdict("bounced", reply.code, reply.text, tries, about_recipient=reply.step != "sender")
    return later(reply.code, reply.text, tries)


def later(code: int | None, text: str, tries: int) -> Verdict:
    """Another try after a growing wait, or failed once there have been enough."""
    tries += 1
    if tries >= TRIES_MAX:
        return Verdict("failed", code, f"given up after {tries} tries: {text}", tries)
    ceiling_s = FIRST_WAIT_S * 3 ** (tries - 1)
    wait_s = ceiling_s / 2 + random.uniform(0, ceiling_s / 2)
    return Verdict("pending", code, text, tries, utc_now() + timedelta(seconds=wait_s))
