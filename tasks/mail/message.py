"""One message as bytes: headers that cannot be injected into, a text and an HTML alternative, all of it 7-bit."""

import binascii
import functools
import hashlib
import re
import secrets
from base64 import encodebytes
from datetime import UTC, datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

WIRE = SMTP.clone(cte_type="7bit")
"""Seven bits: every server takes it, whether or not it announces 8BITMIME."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

SUBJECT_MAX = 500
"""Characters of a subject that are sent; RFC 5322 limits lines, not subjects, but mail programs show no more."""

LINE_MAX = 78
"""Characters of a line that every program shows whole (RFC 5322, section 2.1.1)."""

SAME_FOR_ALL = (
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Precedence: bulk\r\n"
    # Out-of-office programs answer people, not this (RFC 3834).
    b"Auto-Submitted: auto-generated\r\n"
    b"MIME-Version: 1.0\r\n"
)

_NOT_PLAIN = re.compile(rf"[^\t\n\x20-\x7e]|[^\n]{{{LINE_MAX + 1}}}|[ \t](?:\n|\Z)")
"""Reasons to encode a body: characters beyond ASCII, long lines, and blanks at a line's end, which servers may drop."""

TOKEN_MAX = 900
"""Characters of a word that is not folded: a line may have 998 (RFC 5322, section 2.1.1)."""


def one_line(text: str) -> str:
    """Text for a header: line breaks and other controls become blanks, so that nothing begins a header of its own."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def message_id(campaign_id: str, user_id: int, sender: str) -> str:
    """The same for every try at the same delivery, so that a receiver can tell a repetition; it does not give the user away."""
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
    boundary = f"=-{secrets.token_hex(16)}"
    return b"".join(
        (
            whole.encode("ascii"),
            _from(sender),
            _header("To", _address(to_name, to_address)),
            _header("Subject", one_line(subject)[:SUBJECT_MAX]),
            _header("Date", format_datetime(datetime.now(UTC))),
            SAME_FOR_ALL,
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode("ascii"),
            *(part for kind, body in (("plain", text), ("html", html)) for part in _part(boundary, kind, body)),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        )
    )


def _part(boundary: str, kind: str, body: str) -> tuple[bytes, bytes]:
    encoding, content = encoded(body)
    head = (
        f'\r\n--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode("ascii"), content


def encoded(text: str) -> tuple[str, bytes]:
    """A body for the wire, with CRLF: as it is where it is plain, else in the shorter of the two encodings (RFC 2045)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = lines.encode("utf-8")
    if not _NOT_PLAIN.search(lines):
        return "7bit", raw.replace(b"\n", b"\r\n")
    quoted = binascii.b2a_qp(raw, istext=True)
    whole = encodebytes(raw) if len(quoted) > len(raw) * 4 // 3 else None
    if whole is not None and len(whole) < len(quoted):
        # Only what is within quoted-printable keeps its line ends unaided.
        return "base64", encodebytes(raw.replace(b"\n", b"\r\n")).replace(b"\n", b"\r\n")
    return "quoted-printable", quoted.replace(b"\n", b"\r\n")


def address_header(name: str, display_name: str, address: str) -> bytes:
    """A header such as To with one address."""
    return _header(name, _address(display_name, address))


def token_header(name: str, value: str) -> bytes:
    """A header whose value is one word and never folded."""
    return f"{name}: {_token(value)}\r\n".encode("ascii")


def _header(name: str, value: str | Address) -> bytes:
    """One header. What is short and plain needs no folding, and folding takes the standard library a millisecond."""
    line = f"{name}: {value}"
    if len(line) <= LINE_MAX and line.isascii() and line.isprintable():
        return f"{line}\r\n".encode("ascii")
    return WIRE.fold_binary(name, WIRE.header_store_parse(name, value)[1])


@functools.lru_cache(maxsize=16)
def _from(sender: str) -> bytes:
    return _header("From", _address(*parseaddr(sender)))


def _token(text: str) -> str:
    """Text for a header that is written as it is. Raises ValueError where it could be more than one word."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > TOKEN_MAX:
        raise ValueError(f"not a single word of ASCII: {text[:80]!r}")
    return text


def _address(name: str, address: str) -> Address:
    # In two halves: the whole would be parsed, which takes longer than the message.
    local_part, _, domain = address.rpartition("@")
    return Address(display_name=one_line(name), username=local_part, domain=domain)


def for_data(content: bytes) -> bytes:
    """`content` as it goes after DATA, without the final dot: lines end in CRLF, a dot that begins one is doubled."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    doubled = lines.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled
