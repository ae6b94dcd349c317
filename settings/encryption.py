"""Keys that files and payloads are encrypted with at rest."""

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from settings.urls import Explained

KEY_BYTES = 32
"""AES-256."""

KEY_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
"""Of an id: it stands in the header of every encrypted file, in a field of 32 bytes."""


def parse_encryption_keys(given: Any) -> Any:
    """`id:base64,id2:base64` as {id: 32 bytes}, in its order. Raises Explained, which counts the keys and shows none of them.

    Not even an id is shown: a key that was pasted in the wrong place would be taken for one.
    """
    if not isinstance(given, str):
        return given
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in given.split(","))), 1):
        key_id, colon, text = entry.partition(":")
        if not colon:
            raise Explained(
                f"has no id before its key {number}: write id:base64, as `offload encryption-key` prints it"
            )
        if not KEY_ID.fullmatch(key_id):
            raise Explained(
                f"has a bad id before its key {number}: it takes letters, digits and hyphens between them, 32 at most"
            )
        if key_id in keys:
            raise Explained(f"names two keys by one id (key {number} has that of an earlier one)")
        keys[key_id] = _key(text, number)
    if not keys:
        raise Explained("holds no key: write id:base64, or leave it out to encrypt nothing")
    return keys


def _key(text: str, number: int) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Explained(f"has a key {number} that is not base64: `offload encryption-key` makes one") from None
    if len(key) != KEY_BYTES:
        raise Explained(f"has a key {number} of {len(key)} bytes, where {KEY_BYTES} are taken")
    if encoded(key) != text:
        # Bits beyond the last byte: the same key would have two texts, and the log is searched for one.
        raise Explained(f"has a key {number} that is not base64: `offload encryption-key` makes one")
    return key


def encoded(key: bytes) -> str:
    """A key as the variable has it."""
    return base64.b64encode(key).decode()


class Encryption(BaseModel):
    """Encryption at rest. Without keys nothing is encrypted."""

    model_config = ConfigDict(frozen=True)

    encryption_keys: Annotated[dict[str, bytes], NoDecode, BeforeValidator(parse_encryption_keys)] = Field(
        default={},
        repr=False,
        description="id:base64-of-32-bytes,id2:…: the first one encrypts, all of them decrypt",
        json_schema_extra={"secret": True},
    )
    """None by default: with the keys the files are lost too, so that encryption is for the operator to decide on."""
