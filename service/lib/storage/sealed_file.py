"""`SealedFile`: an encrypted object as a file to seek and read in."""

import io
from typing import Any, BinaryIO

from service.lib.encryption import Keyring
from service.lib.storage.sealed_object import Shape


class SealedFile(io.RawIOBase):
    """The plain bytes of a stored file that has a header; a read decrypts the chunks that it touches."""

    def __init__(self, stored: BinaryIO, shape: Shape, keyring: Keyring | None) -> None:
        self._stored = stored
        self._shape = shape
        self._keyring = keyring
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._shape.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._shape.size)
        if end <= self._at:
            return 0
        opener = self._shape.opener(self._keyring, self._at, end)
        self._stored.seek(opener.first_byte)
        plain = opener.update(self._stored.read(opener.end_byte - opener.first_byte))
        opener.finish()
        buffer[: len(plain)] = plain
        self._at += len(plain)
        return len(plain)

    def close(self) -> None:
        self._stored.close()
        super().close()
