"""Format of a stored object that is encrypted: a header, then chunks of 64 KiB, each encrypted and authenticated.

Chunks let a range be read without the rest, and anything be written that arrives bit by bit. Each object has a key of its own,
derived from one of the keyring's and the header's random salt. A chunk's nonce is its number and whether it is the last, so that
none can be left out, added or change places; header and path are authenticated with each, so that an object that was moved to
another's place does not open (the construction STREAM, as in Tink's streaming AEAD).

What is stored plain and begins like a header, which a client may send on purpose, gets a header before it that says so.
"""

import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.lib.encryption import TAG_BYTES, Damaged, KeyMissing, Keyring

MAGIC = bytes.fromhex("8abff8ffb8d53d188e837d15adbbfc7d")
"""Chosen at random, so that nothing that was stored before there was encryption begins with it."""

HEADER = struct.Struct(">16s B 32s 32s")
"""Magic, kind, the key's id filled up with zeros, salt."""

PLAIN, SEALED = 0, 1
"""Kinds: the rest is plain; the rest is encrypted in chunks."""

CHUNK_BYTES = 1 << 16
"""Plain bytes of a chunk. A range costs one chunk more than it has; a call of the cipher costs as much as 16 KB of its work."""

STORED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES

BLOCK_BYTES = 1 << 20
"""Bytes that are encrypted in one go."""

PLAIN_HEADER = HEADER.pack(MAGIC, PLAIN, b"", b"")
"""Stands before plain bytes that begin with MAGIC."""


class Sealer:
    """Encrypts one object, as its bytes come."""

    def __init__(self, keyring: Keyring, path: str) -> None:
        salt = os.urandom(32)
        self._header = HEADER.pack(MAGIC, SEALED, keyring.sealing_id.encode(), salt)
        self._cipher = AESGCM(keyring.object_key(keyring.sealing_id, salt))
        self._bound = _bound(self._header, path)
        self._waiting = b""
        self._index = -1

    def update(self, data: bytes) -> bytes:
        """Bytes to store next. A chunk waits until it is known whether it is the last."""
        found, at = [self._begun()], 0
        if self._waiting:
            # Only what fills the chunk up is copied.
            at = CHUNK_BYTES - len(self._waiting)
            self._waiting += data[:at]
            if len(data) <= at:
                return found[0]
            found.append(self._chunk(memoryview(self._waiting), last=False))
        view = memoryview(data)
        while len(data) - at > CHUNK_BYTES:
            found.append(self._chunk(view[at : at + CHUNK_BYTES], last=False))
            at += CHUNK_BYTES
        self._waiting = data[at:]
        return b"".join(found)

    def finish(self) -> bytes:
        """The last bytes to store."""
        return self._begun() + self._chunk(memoryview(self._waiting), last=True)

    def _begun(self) -> bytes:
        if self._index >= 0:
            return b""
        self._index = 0
        return self._header

    def _chunk(self, plain: memoryview, *, last: bool) -> bytes:
        nonce = _nonce(self._index, last=last)
        self._index += 1
        return self._cipher.encrypt(nonce, plain, self._bound)


def sealed(keyring: Keyring, path: str, data: bytes) -> bytes:
    """A whole object."""
    sealer = Sealer(keyring, path)
    # Block by block: what a block goes through stays in the processor's cache.
    blocks = [sealer.update(data[at : at + BLOCK_BYTES]) for at in range(0, len(data), BLOCK_BYTES)]
    return b"".join([*blocks, sealer.finish()])


@dataclass(frozen=True)
class Shape:
    """A stored object, as its beginning and its stored size tell."""

    path: str
    stored_size: int
    header: bytes = b""
    """Empty for what is stored as it is."""

    @property
    def key_id(self) -> str | None:
        """Id of the key it is encrypted under, or None."""
        if self.header and HEADER.unpack(self.header)[1] == SEALED:
            return str(HEADER.unpack(self.header)[2].rstrip(b"\0").decode("ascii", "replace"))
        return None

    @property
    def chunks(self) -> int:
        """Number of chunks of an encrypted object: at least the one that is the last."""
        return max(1, -(-(self.stored_size - HEADER.size) // STORED_CHUNK_BYTES))

    @property
    def size(self) -> int:
        """Plain bytes."""
        body = self.stored_size - len(self.header)
        return body if self.key_id is None else body - self.chunks * TAG_BYTES

    def opener(self, keyring: Keyring | None, start: int = 0, end: int | None = None) -> "Opener":
        """The way to read bytes `start` up to but not including `end`. Raises KeyMissing, Damaged."""
        key_id = self.key_id
        if key_id is None:
            return Opener(self, None, start, end)
        if keyring is None or key_id not in keyring.ids:
            raise KeyMissing(_named(self.path), key_id)
        # It ends before the place that its record knows: the end is gone.
        if start > self.size:
            raise Damaged(_named(self.path))
        return Opener(self, AESGCM(keyring.object_key(key_id, HEADER.unpack(self.header)[3])), start, end)


def shape_of(path: str, beginning: bytes, stored_size: int) -> Shape:
    """The shape of an object of which the first bytes are known, as many as a header has. Raises Damaged."""
    if not beginning.startswith(MAGIC):
        return Shape(path, stored_size)
    shape = Shape(path, stored_size, beginning[: HEADER.size])
    if stored_size < HEADER.size or shape.header[len(MAGIC)] not in (PLAIN, SEALED):
        raise Damaged(_named(path))
    rest = (stored_size - HEADER.size) % STORED_CHUNK_BYTES
    # The last chunk has a tag, and is empty only where it is the only one.
    if shape.key_id is not None and (
        0 < rest < TAG_BYTES or shape.size < 0 or (rest == TAG_BYTES and shape.chunks > 1)
    ):
        raise Damaged(_named(path))
    return shape


class Opener:
    """Reads a range of one object: `first_byte` and `end_byte` of what is stored are to be fetched and given to `update`."""

    def __init__(self, shape: Shape, cipher: AESGCM | None, start: int, end: int | None) -> None:
        end = shape.size if end is None else min(end, shape.size)
        self._shape = shape
        self._cipher = cipher
        self._bound = _bound(shape.header, shape.path)
        self._waiting = b""
        if cipher is None:
            self.first_byte, self.end_byte = len(shape.header) + start, len(shape.header) + end
            self._index = self._behind = 0
            return
        # At least one chunk is read, so that an empty file too is known to be one.
        self._index = max(0, min(start, shape.size - 1)) // CHUNK_BYTES
        self._behind = max(self._index + 1, -(-end // CHUNK_BYTES))
        self._skip = start - self._index * CHUNK_BYTES
        self._left = max(0, end - start)
        self.first_byte = HEADER.size + self._index * STORED_CHUNK_BYTES
        self.end_byte = min(shape.stored_size, HEADER.size + self._behind * STORED_CHUNK_BYTES)

    def update(self, data: bytes) -> bytes:
        """Plain bytes of what was fetched. Raises Damaged."""
        if self._cipher is None:
            return data
        found: list[bytes] = []
        at = 0
        if self._waiting and self._index < self._behind:
            at = self._stored_length() - len(self._waiting)
            self._waiting += data[:at]
            if len(data) < at:
                return b""
            found.append(self._chunk(memoryview(self._waiting)))
        view = memoryview(data)
        while self._index < self._behind and len(data) - at >= (length := self._stored_length()):
            found.append(self._chunk(view[at : at + length]))
            at += length
        self._waiting = data[at:]
        if not found:
            return b""
        plain = b"".join(found)[self._skip : self._skip + self._left]
        self._skip = 0
        self._left -= len(plain)
        return plain

    def finish(self) -> None:
        """See that all came. Raises Damaged."""
        if self._cipher is not None and self._index < self._behind:
            raise Damaged(_named(self._shape.path))

    def _stored_length(self) -> int:
        if self._index < self._shape.chunks - 1:
            return STORED_CHUNK_BYTES
        return self._shape.stored_size - HEADER.size - self._index * STORED_CHUNK_BYTES

    def _chunk(self, stored: memoryview) -> bytes:
        assert self._cipher is not None
        last = self._index == self._shape.chunks - 1
        try:
            plain = self._cipher.decrypt(_nonce(self._index, last=last), stored, self._bound)
        except (InvalidTag, ValueError):
            raise Damaged(_named(self._shape.path)) from None
        self._index += 1
        return plain


def _named(path: str) -> str:
    return f"The stored file {path}"


def _nonce(index: int, *, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _bound(header: bytes, path: str) -> bytes:
    return header + path.strip("/").encode()
