"""`SignedList`: what an erasure removed, signed, so that it can be shown later that this installation wrote it."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

PURPOSE = b"offload erasure list, version 1"
"""Separates the key from others that are derived from the same secret."""


class BadList(ValueError):
    """A list that this installation did not sign as it is. The message is a sentence."""


class SignedList(msgspec.Struct, kw_only=True):
    """The list. `subject` is a pseudonym: a list that is kept for years must not name who was erased."""

    subject: str
    kind: str
    """owner or person."""
    installation: str
    begun_at: str
    ended_at: str
    by: str
    removed: Mapping[str, int]
    """Number of things by kind."""
    altered: Mapping[str, int]
    """Rows that stay, without what named the subject."""
    outside: Sequence[str]
    """Places that no erasure reaches, for an operator to see to."""
    signature: str = ""
    """HMAC-SHA256, in hex, of the rest as JSON with sorted keys."""


def pseudonym(secret: bytes, subject: str) -> str:
    """Name that stands for an erased subject: the same each time, and not to be guessed without the installation's secret."""
    return f"erased-{hmac.new(_key(secret), subject.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:16]}"


def signed_list(
    secret: bytes,
    *,
    subject: str,
    kind: str,
    begun: str,
    by: str,
    removed: Mapping[str, int],
    altered: Mapping[str, int],
    outside: Sequence[str],
) -> SignedList:
    """The list of an erasure that ends now, with its signature. Kinds of which nothing was removed are left out."""
    unsigned = SignedList(
        subject=subject,
        kind=kind,
        installation=pseudonym(secret, "installation"),
        begun_at=begun,
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=by,
        removed={name: number for name, number in sorted(removed.items()) if number > 0},
        altered=dict(sorted(altered.items())),
        outside=outside,
    )
    return msgspec.structs.replace(unsigned, signature=_signature(unsigned, secret))


def verified(text: bytes, secret: bytes) -> SignedList:
    """The list in a file. Raises BadList where it was altered, or signed elsewhere."""
    try:
        found = msgspec.json.decode(text, type=SignedList)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadList(f"This is not a list of an erasure: {error}.") from None
    if not hmac.compare_digest(found.signature.encode(), _signature(found, secret).encode()):
        raise BadList("The signature does not fit: the list was altered, or another installation wrote it.")
    return found


def as_text(found: SignedList) -> bytes:
    """The list as a file, for people to read too."""
    return msgspec.json.format(msgspec.json.encode(found, order="deterministic"), indent=2) + b"\n"


def _signature(found: SignedList, secret: bytes) -> str:
    content: dict[str, Any] = msgspec.to_builtins(found)
    del content["signature"]
    return hmac.new(_key(secret), msgspec.json.encode(content, order="sorted"), hashlib.sha256).hexdigest()


def _key(secret: bytes) -> bytes:
    return hmac.new(secret, PURPOSE, hashlib.sha256).digest()
