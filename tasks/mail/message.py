"""One message as bytes: headers that cannot be injected into, a text and an HTML alternative, all of it 7-bit."""

import hashlib
import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

WIRE = SMTP.clone(cte_type="7bit")
"""Seven bits: every server takes it, whether or not it announces 8BITMIME."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

SUBJECT_MAX = 500
"""Characters of a subject that are sent; RFC 5322 limits lines, not subjects, but nobody shows more."""

TOKEN_MAX = 900
"""Characters of a word that is not folded: a line may have 998 (RFC 5322, section 2.1.1)."""


def one_line(text: str) -> str:
    """Text for a header: line breaks and other controls become blanks, so that nothing begins a header of its own."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def message_id(campaign_id: str, user_id: int, sender: str) -> str:
    """The same for every try at the same delivery, so that a receiver can tell a repetition, and nobody can guess it back."""
    digest = hashlib.sha256(f"{campaign_id}\n{user_id}".encode()).hexdigest()
    return f"<{digest[:40]}@{parseaddr(sender)[1].rpartition('@')[2]}>"


def message(
    *,
    sender: str,
    to_name: str,
    to_address: str,
    subject: str,
    html: str,
    text: str,
    message_id: str,
    unsubscribe_url: str,
) -> bytes:
    """The message with CRLF line ends, as DATA wants it but for the doubled dots.

    List-Unsubscribe-Post makes unsubscribing one click in the mail program itself (RFC 8058).
    """
    # These two never fold: a client would not put a link or an id together again that stands on several lines, and the
    # standard library turns a word that is too long for its line into an encoded one, which means nothing here.
    whole = f"Message-ID: {_token(message_id)}\r\nList-Unsubscribe: <{_token(unsubscribe_url)}>\r\n"
    mail = EmailMessage(policy=WIRE)
    mail["From"] = _address(*parseaddr(sender))
    mail["To"] = _address(to_name, to_address)
    mail["Subject"] = one_line(subject)[:SUBJECT_MAX]
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Precedence"] = "bulk"
    # Out-of-office programs answer people, not this (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return whole.encode("ascii") + mail.as_bytes()


def _token(text: str) -> str:
    """Text for a header that is written as it is. Raises ValueError where it could be more than one word."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > TOKEN_MAX:
        raise ValueError(f"not a single word of ASCII: {text[:80]!r}")
    return text


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)


_LINE_START_DOT = re.compile(rb"(?m)^\.")


def for_data(content: bytes) -> bytes:
    """`content` as it goes after DATA, without the final dot: lines end in CRLF, a dot that begins one is doubled."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _LINE_START_DOT.sub(b"..", lines)
