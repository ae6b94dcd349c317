"""Hash tags: in a cluster each key of a place begins with the place's tag, so that one server has all of them."""

from collections.abc import Sequence
from typing import Any

from service.engine.redis.key_positions import renamed

PLAIN = {b"smessage": b"message", b"ssubscribe": b"subscribe", b"sunsubscribe": b"unsubscribe"}
"""Kinds of messages of sharded channels, and those of plain ones."""


class HashTag:
    """Names of keys and channels in one place of a cluster: each begins with its hash tag, `{offload:thumbnails}` for one."""

    def __init__(self, tag: str) -> None:
        self.text = f"{{{tag}}}"
        self.raw = self.text.encode()

    def name(self, key: Any) -> Any:
        """A key's name in the cluster."""
        return self.raw + key if isinstance(key, bytes) else f"{self.text}{key}"

    def plain(self, name: bytes) -> bytes:
        """The key's name without the tag."""
        return name.removeprefix(self.raw)

    def words(self, words: Sequence[Any]) -> Sequence[Any]:
        """The words of a command as the cluster gets them. Raises ValueError for a command whose keys are not known."""
        if isinstance(words[0], str) and " " in words[0]:
            words = [*words[0].split(), *words[1:]]
        return renamed(words, self.name)

    def message(self, message: Any) -> Any:
        """A message of a sharded channel as one of a plain channel."""
        if isinstance(message, list) and len(message) == 3 and message[0] in PLAIN:
            return [PLAIN[message[0]], message[1] and self.plain(message[1]), message[2]]
        return message
