"""Encryption of what stands in the queue server: everything that may hold a client's value (docs/encryption.md).

Sealed text begins with MARK and is base64, since scripts and their message format carry text. It is bound to its job and field.
A process has one set of keys, as it has one clock. Reading never needs a switch: what is sealed is seen by its mark.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.lib.encryption import MAGIC, Keyring, Unreadable, key_id_of, keyring_of

MARK = "\x02"
"""Begins no JSON. A message of a task's own that begins with it, in a process without keys, is shown as one that cannot be read."""

MARK_BYTES = MARK.encode()

SEALED_START = MARK_BYTES + base64.b64encode(MAGIC[:3])
"""Beginning of every sealed text. Of bytes that may be any, random ones too, the mark alone says nothing."""

PAYLOAD = "$sealed"
"""The one field of a sealed payload. A release that does not know it calls the field unknown, and leaves the job to a newer
worker."""

FIELDS = frozenset({"payload", "result", "artefacts", "message", "error", "question", "callback_url"})
"""Fields of a record that are sealed whole; of `data` the values are, but for numbers, which the scripts add up."""

CLEAR_SEARCH_KEYS = ("origin", "workflow", "tag")
"""Search keys whose values are ids of ours, or words of a task's own vocabulary."""

DIGEST = "mac-"
DIGEST_HEX = 40
"""160 bits of a digest: no two values of an installation share one."""


class Sealing:
    """Seals where there are keys, and opens what is sealed."""

    keyring: Keyring | None = None

    def use(self, keys: Mapping[str, bytes]) -> None:
        """Set this process's keys; none: nothing is sealed from now on."""
        self.keyring = keyring_of(keys)

    def seal(self, text: str, job_id: str, field: str) -> str:
        """The text as it is to be written. An empty one stays empty: it says that there is nothing."""
        if self.keyring is None or not text:
            return text
        sealed = self.keyring.seal(text.encode(), context(job_id, field))
        if field == "payload":
            return f'{{"{PAYLOAD}":"{base64.b64encode(sealed).decode()}"}}'
        return MARK + base64.b64encode(sealed).decode()

    def open(self, text: str | bytes, job_id: str, field: str) -> str:
        """The text that was sealed; one that was not, as it is. Raises Unreadable, in words for the job's page."""
        words = text.decode() if isinstance(text, bytes) else text
        if not words.startswith(MARK):
            return words
        return self.open_base64(words[1:], job_id, field)

    def open_base64(self, words: str, job_id: str, field: str) -> str:
        """As `open`, without the mark."""
        try:
            sealed = base64.b64decode(words)
            if self.keyring is None:
                raise Unreadable(
                    f"it is encrypted with the key {key_id_of(sealed)!r}, and this process has no OFFLOAD_ENCRYPTION_KEYS"
                )
            return self.keyring.open(sealed, context(job_id, field)).decode()
        except (Unreadable, ValueError) as error:
            raise Unreadable(f"The {field} of {job_id} cannot be read: {_lowered(error)}") from None

    def plain(self, text: str, job_id: str, field: str) -> str:
        """As `open`, of a payload too. Raises Unreadable."""
        if text.startswith(f'{{"{PAYLOAD}":'):
            return self.open_base64(msgspec.json.decode(text)[PAYLOAD], job_id, field)
        return self.open(text, job_id, field)

    def key_id(self, text: str) -> str | None:
        """Id of the key of a sealed text, payload or not; None for one that is not sealed."""
        if text.startswith(MARK):
            return key_id_of(base64.b64decode(text[1:]))
        if text.startswith(f'{{"{PAYLOAD}":'):
            return key_id_of(base64.b64decode(msgspec.json.decode(text)[PAYLOAD]))
        return None

    def data(self, data: Mapping[str, Any], job_id: str) -> dict[str, Any]:
        """Progress data, its numbers clear."""
        if self.keyring is None:
            return dict(data)
        return {
            name: value
            if value is None or isinstance(value, bool | int | float)
            else self.seal(msgspec.json.encode(value).decode(), job_id, f"data.{name}")
            for name, value in data.items()
        }

    def digest(self, value: str, of: str) -> str:
        """A digest that stands for a value in a key: equal for equal values, and not to be guessed."""
        if self.keyring is None:
            return value
        return _digest(self.keyring.mac(value.encode("utf-8", "surrogatepass"), of.encode()))

    def digests(self, value: str, of: str) -> list[str]:
        """All that may stand for a value: of each key, and the value as it is, of a time before there were keys."""
        if self.keyring is None:
            return [value]
        return [*map(_digest, self.keyring.macs(value.encode("utf-8", "surrogatepass"), of.encode())), value]

    def find(self, name: str) -> str:
        """A search key with its value, as `key:value`, as it is indexed."""
        key, _, value = name.partition(":")
        return name if key in CLEAR_SEARCH_KEYS else f"{key}:{self.digest(value, f'find {key}')}"

    def finds(self, key: str, value: str) -> list[str]:
        """Values under which a search looks."""
        return [value] if key in CLEAR_SEARCH_KEYS else self.digests(value, f"find {key}")


SEALING = Sealing()


def context(job_id: str, field: str) -> bytes:
    """Bytes that a sealed value is bound to. The message of a part is copied into its job's record (settle.lua)."""
    return f"{job_id.partition('.')[0] if field == 'message' else job_id}\n{field}".encode()


def sealed_pairs(words: Sequence[Any], job_id: str) -> list[Any]:
    """A flat list of fields and values, with the values sealed that are to be."""
    return [
        SEALING.seal(value, job_id, words[at - 1]) if at % 2 and words[at - 1] in FIELDS else value
        for at, value in enumerate(words)
    ]


def _digest(mac: bytes) -> str:
    return DIGEST + mac.hex()[:DIGEST_HEX]


def _lowered(error: Exception) -> str:
    words = str(error)
    return f"{words[:1].lower()}{words[1:]}" if isinstance(error, Unreadable) else "it is damaged."
