"""Writes that a server without memory takes too: few, bounded, and about just such a trouble."""

from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.store.scripts import SMALL_WRITES

pack = msgspec.msgpack.Encoder().encode


async def write_small(redis: Client, pipe: Any) -> list[Any]:
    """Carry out what was put into a pipeline of redis-py, in one go. Returns what the server answered to each command."""
    commands = [[_word(word) for word in words] for words, _ in pipe.command_stack]
    await pipe.reset()
    return list(await SMALL_WRITES(redis, pack(commands))) if commands else []


def _word(word: Any) -> Any:
    """Text, for the server's msgpack reader knows no binary type."""
    return word.decode() if isinstance(word, bytes) else word
