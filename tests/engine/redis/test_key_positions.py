"""Keys of commands carry the hash tag of their place; a command that is not known is refused."""

import re

import pytest

from service.engine.redis.hash_tag import HashTag
from service.engine.redis.key_positions import EVERY, FIRST, NONE, SHARDED
from service.engine.store.scripts import FOLDER

TAG = HashTag("t")


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("HSET", "k", "f", 1), ["HSET", "{t}k", "f", 1]),
        (("get", b"k"), ["get", b"{t}k"]),
        (("DEL", "a", "b"), ["DEL", "{t}a", "{t}b"]),
        (("RENAMENX", "a", "b"), ["RENAMENX", "{t}a", "{t}b"]),
        (
            ("ZUNIONSTORE", "d", 2, "a", "b", "AGGREGATE", "MAX"),
            ["ZUNIONSTORE", "{t}d", 2, "{t}a", "{t}b", "AGGREGATE", "MAX"],
        ),
        (("EVALSHA", "sha", 1, "", "x"), ["EVALSHA", "sha", 1, "{t}", "x"]),
        (("MEMORY USAGE", "k", "SAMPLES", 0), ["MEMORY", "USAGE", "{t}k", "SAMPLES", 0]),
        (("SCAN", 0, "MATCH", "a*", "COUNT", 9), ["SCAN", 0, "MATCH", "{t}a*", "COUNT", 9]),
        (("PUBLISH", "c", "k"), ["SPUBLISH", "{t}c", "k"]),
        (("SUBSCRIBE", "a", "b"), ["SSUBSCRIBE", "{t}a", "{t}b"]),
        (("CONFIG GET", "k"), ["CONFIG", "GET", "k"]),
    ],
)
def test_a_command_with_its_keys_tagged(words: tuple[object, ...], sent: list[object]) -> None:
    assert list(TAG.words(words)) == sent


@pytest.mark.parametrize(
    "words", [("KEYS", "*"), ("FLUSHALL",), ("EVALSHA", "sha", 0), ("SCAN", 0), ("PSUBSCRIBE", "a*")]
)
def test_a_command_whose_keys_are_not_known_is_refused(words: tuple[object, ...]) -> None:
    with pytest.raises(ValueError):
        TAG.words(words)


def test_every_command_of_the_scripts_is_known() -> None:
    found = set()
    for file in FOLDER.rglob("*.lua"):
        found |= set(re.findall(r"redis\.p?call\('([A-Z]+)'", file.read_text()))
    assert found - FIRST - EVERY - NONE - {*SHARDED, "PUBSUB"} == set()
