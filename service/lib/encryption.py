"""`Keyring`: values encrypted and authenticated under named keys (AES-256-GCM), and keyed digests of values.

A sealed value names its key, so that keys can be replaced one by one: the first key seals, every key opens. `context` says
what a value is and where it stands, such as the job's id and a field's name: a value that was moved elsewhere does not open.
"""

import hmac
import os
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.sdk.errors import Permanent

MAGIC = b"\xc1OFL"
"""Begins no UTF-8, so no JSON, and no MessagePack: what begins with it is a sealed value."""

VERSION = b"\x01"

SALT_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16

SEALS_PER_SALT = 1 << 24
"""Values that one derived key seals. NIST allows 2**32 random nonces under a key (SP 800-38D, 8.3), which a busy queue has used
up within weeks: each keyring therefore seals under keys derived from its own random salts."""

CIPHERS = 4096
"""Derived keys that are remembered: one for each process whose values are read."""


class Unreadable(Permanent):
    """Encrypted data that cannot be decrypted, now or later, with the keys that are there."""


class KeyMissing(Unreadable):
    """It is sealed under a key that this process was not given."""

    def __init__(self, what: str, key_id: str) -> None:
        super().__init__(f"{what} is encrypted with the key {key_id!r}, which is not in OFFLOAD_ENCRYPTION_KEYS.")
        self.key_id = key_id


class Damaged(Unreadable):
    """It does not pass the check of its integrity: it was changed, cut, or moved from elsewhere."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} cannot be decrypted: it was damaged, changed or moved after it was stored. Restore it from a backup."
        )


def is_sealed(value: bytes) -> bool:
    """True for what `Keyring.seal` returns, of values that are else UTF-8 or MessagePack."""
    return value.startswith(MAGIC)


def key_id_of(sealed: bytes) -> str:
    """Id of the key that a value is sealed under. Raises Damaged."""
    return _header(sealed)[0]


class Keyring:
    """Keys by id, none of which may be empty of entropy: 32 random bytes each. The first one seals and makes digests."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.ids = tuple(keys)
        self._records = {key_id: derived(key, b"records") for key_id, key in keys.items()}
        self._objects = {key_id: derived(key, b"objects") for key_id, key in keys.items()}
        self._macs = {key_id: derived(key, b"digests") for key_id, key in keys.items()}
        self._cipher = lru_cache(CIPHERS)(self._new_cipher)
        self._salt, self._left = b"", 0

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"

    @property
    def sealing_id(self) -> str:
        """Id of the key that seals."""
        return self.ids[0]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """The value, encrypted under the first key: 49 bytes and the key's id longer. Equal values become different ones."""
        if not self._left:
            self._salt, self._left = os.urandom(SALT_BYTES), SEALS_PER_SALT
        self._left -= 1
        key_id, salt = self.ids[0], self._salt
        name = key_id.encode()
        header = b"".join((MAGIC, VERSION, bytes((len(name),)), name, salt))
        # From the system each time: after a fork two processes have the same salt.
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + self._cipher(key_id, salt).encrypt(nonce, plain, header + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The value that was sealed in the same context. Raises KeyMissing, Damaged."""
        key_id, salt, end = _header(sealed)
        if key_id not in self._records:
            raise KeyMissing("This value", key_id)
        nonce = sealed[end : end + NONCE_BYTES]
        try:
            return self._cipher(key_id, salt).decrypt(nonce, sealed[end + NONCE_BYTES :], sealed[:end] + context)
        except (InvalidTag, ValueError):
            raise Damaged("This value") from None

    def mac(self, value: bytes, context: bytes) -> bytes:
        """Digest of 32 bytes under the first key: equal for equal values of one context, and without the key not to be guessed."""
        return self.macs(value, context)[0]

    def macs(self, value: bytes, context: bytes) -> list[bytes]:
        """The same under every key, the first key's first: for a search among digests that earlier keys have made."""
        # With the length, so that no value can take over the end of a context.
        message = len(context).to_bytes(4, "big") + context + value
        return [hmac.digest(key, message, "sha256") for key in self._macs.values()]

    def object_key(self, key_id: str, salt: bytes) -> bytes:
        """Key of one stored object, from the object's own salt of 32 random bytes. Raises KeyError for an unknown id."""
        return derived(self._objects[key_id], b"object", salt)

    def _new_cipher(self, key_id: str, salt: bytes) -> AESGCM:
        return AESGCM(derived(self._records[key_id], b"values", salt))


def keyring_of(keys: Mapping[str, bytes]) -> Keyring | None:
    """The keyring of a setting; None where nothing is to be encrypted."""
    return Keyring(keys) if keys else None


def derived(key: bytes, purpose: bytes, salt: bytes | None = None) -> bytes:
    """A key of 32 bytes for one purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), 32, salt, b"offload " + purpose).derive(key)


def _header(sealed: bytes) -> tuple[str, bytes, int]:
    """Key id, salt, and where the header ends. Raises Damaged."""
    at = len(MAGIC) + len(VERSION) + 1
    end = at + sealed[at - 1] + SALT_BYTES if len(sealed) >= at else 0
    if not sealed.startswith(MAGIC + VERSION) or len(sealed) < end + NONCE_BYTES + TAG_BYTES or not end:
        raise Damaged("This value")
    try:
        return sealed[at : end - SALT_BYTES].decode("ascii"), sealed[end - SALT_BYTES : end], end
    except UnicodeDecodeError:
        raise Damaged("This value") from None
