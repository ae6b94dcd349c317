"""Meaning of a server's reply: for the delivery, for the address, or for everything that this installation sends.

RFC 5321 says what the three digits mean and RFC 3463 what the enhanced code behind them does. A reply to MAIL is about
the sender; so are the codes of logins and of quotas at any step. Such a reply is not one recipient's: the server is absent
for all of them, and nothing bounces.
"""

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.database.column_types import utc_now
from service.mail.smtp_transaction import Reply

FIRST_WAIT_S = 5.0
"""Before the second try. Each further wait is three times as long: 5, 15, 45 s and so on, which suits greylisting."""

LONGEST_WAIT_S = 4 * 3600.0
"""The wait grows to this. RFC 5321 (section 4.5.4.1) wants at least 30 minutes between tries once the first have failed."""

JITTER = 0.2
"""Share of each wait that is random, so that what was refused together is not tried again together."""

TRIES_MAX = 41
"""Tries after which a delivery has failed: with the waits above about five days, as RFC 5321 (section 4.5.4.1) advises."""

UNKNOWN_TEXT = "the connection or the worker ended between the last byte and the server's answer"

_ENHANCED = re.compile(r"(?:^|\(#)([245])\.(\d{1,3})\.(\d{1,3})(?=[\s)]|$)")
"""At the beginning of a reply, or in brackets at its end as qmail writes it."""

_LOGIN_CODES = frozenset({454, 530, 534, 535, 538})
"""Login or encryption wanted, failed, too weak or temporarily impossible (RFC 4954, RFC 3207), at any step."""

_SENDER_DETAILS = frozenset(
    {(1, 7), (1, 8), (4, 5), (7, 3), (7, 4), (7, 8), (7, 9), (7, 10), (7, 11), (7, 12), (7, 13), (7, 14)}
    # Exchange: may not relay, is not logged in, may not send as this sender, belongs to no tenant.
    | {(7, 54), (7, 57), (7, 60), (7, 64)}
)
"""Subject and detail of enhanced codes that speak of the sender, its login or its quota (RFC 3463, RFC 5248)."""

_BANNED_FROM = 500
"""Details of subject 7 from here on are Microsoft's, and all of them ban a sender, its address or its tenant."""

_SENDER_WORDS = re.compile(
    r"\b(?:relay(?:ing)?\b.{0,40}\b(?:denied|prohibited|permitted|allowed)"
    r"|(?:unable|not (?:permitted|allowed)|refus\w+) to relay"
    r"|(?:daily|hourly|sending|outgoing|submission)\b.{0,40}\b(?:limit|quota|rate)\b"
    r"|sending (?:is |has been )?(?:paused|suspended|disabled))",
    re.IGNORECASE,
)
"""Wordings of servers that give no telling code. Mailboxes over their quota do not speak of sending."""


@dataclass(slots=True, frozen=True)
class DeliveryResult:
    """Status of a delivery after a try."""

    status: str
    code: int | None = None
    text: str = ""
    tries: int = 0
    due_at: datetime | None = None
    about_address: bool = False
    """A bounce that says the address does not exist, and nothing about us or about this message."""


def result_of(reply: Reply, tries: int) -> DeliveryResult:
    """2xx sent, 5xx bounced, everything else tried again later; unchanged where the reply is about the sender."""
    if 200 <= reply.code < 300:
        return DeliveryResult("sent", reply.code, reply.text, tries)
    if refuses_sender(reply):
        return DeliveryResult("pending", reply.code, reply.text, tries)
    if reply.step == "sender":
        return DeliveryResult("failed", reply.code, reply.text, tries)
    if reply.code >= 500:
        return DeliveryResult("bounced", reply.code, reply.text, tries, about_address=refuses_address(reply))
    return later(reply.code, reply.text, tries)


def later(code: int | None, text: str, tries: int) -> DeliveryResult:
    """Another try after a growing wait, or failed once there have been enough."""
    tries += 1
    if tries >= TRIES_MAX:
        return DeliveryResult("failed", code, f"given up after {tries} tries: {text}", tries)
    longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 3 ** (tries - 1))
    wait_s = longest_s * (1 - random.uniform(0, JITTER))
    return DeliveryResult("pending", code, text, tries, utc_now() + timedelta(seconds=wait_s))


def enhanced_code(text: str) -> tuple[int, int, int] | None:
    """Class, subject and detail that a reply's text carries."""
    found = _ENHANCED.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def refuses_sender(reply: Reply) -> bool:
    """True where a reply is about this installation as a sender: its login, its address, its quota, its right to relay."""
    if reply.code < 400:
        return False
    if reply.step == "sender":
        return not too_large(reply)
    if reply.code in _LOGIN_CODES:
        return True
    _, subject, detail = enhanced_code(reply.text) or (0, 0, 0)
    if (subject, detail) in _SENDER_DETAILS or (subject == 7 and detail >= _BANNED_FROM):
        return True
    # A mailbox that is full may word it as anything; its code tells.
    return reply.code >= 500 and subject != 2 and bool(_SENDER_WORDS.search(reply.text))


def too_large(reply: Reply) -> bool:
    """True where the size announced with MAIL was refused (RFC 1870)."""
    found = enhanced_code(reply.text)
    return reply.step == "sender" and reply.code == 552 and (found is None or found[1:] in {(3, 4), (2, 3)})


def refuses_address(reply: Reply) -> bool:
    """True where a refusal says that the address does not exist: 5.1.x, 5.2.1, or a 550 at RCPT that says nothing else."""
    if reply.code < 500 or refuses_sender(reply):
        return False
    found = enhanced_code(reply.text)
    if found is None:
        return reply.code == 550 and reply.step == "recipient"
    kind, subject, detail = found
    return kind == 5 and (subject == 1 or (subject, detail) == (2, 1))
