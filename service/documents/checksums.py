"""Checksums of pieces, as the tus protocol's `Upload-Checksum` has them."""

import base64
import hashlib

ALGORITHMS = ("sha1", "sha256", "md5")
"""By the names of the protocol; sha1 is the one that every server must know."""


class BadChecksum(Exception):
    """An `Upload-Checksum` that cannot be read."""


class ChecksumMismatch(Exception):
    """The bytes that came are others than those that the checksum is of."""


class Checksum:
    """The digest that arriving bytes should have."""

    def __init__(self, header: str) -> None:
        """Read `Upload-Checksum`. Raises BadChecksum."""
        self.algorithm, _, encoded = header.strip().partition(" ")
        if self.algorithm not in ALGORITHMS:
            raise BadChecksum(f"Upload-Checksum names {self.algorithm[:20]!r}: there are {', '.join(ALGORITHMS)}")
        self._hash = hashlib.new(self.algorithm, usedforsecurity=False)
        try:
            self.expected = base64.b64decode(encoded.strip(), validate=True)
        except ValueError:
            # Letters that are not ASCII are another error than a length that cannot be.
            self.expected = b""
        if len(self.expected) != self._hash.digest_size:
            raise BadChecksum(f"Upload-Checksum is not the base64 of a {self.algorithm} digest")

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._hash.update(data)

    def verify(self) -> None:
        """Raise ChecksumMismatch unless the bytes added are those that were announced."""
        if self._hash.digest() != self.expected:
            raise ChecksumMismatch(
                f"the {self.algorithm} of the bytes that came is another than announced: send them again"
            )
