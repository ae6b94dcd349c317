"""Positions of key names in the commands that Offload sends, for a cluster, where each of them carries a hash tag.

A command that is not listed raises ValueError: with its keys as they are it would read and write those of another place, or
those of other users of the cluster.
"""

from collections.abc import Callable, Sequence
from typing import Any


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FIRST = words_of(
    """
    DUMP EXPIRE EXPIREAT GET GETDEL HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HRANDFIELD HSCAN
    HSET HSETNX HVALS INCR INCRBY LINDEX LLEN LPOP LPOS LPUSH LRANGE LREM LSET LTRIM PERSIST PEXPIRE PEXPIREAT PSETEX
    PTTL RPOP RPUSH SADD SCARD SET SETEX SETNX SISMEMBER SMEMBERS SMISMEMBER SPOP SREM SSCAN STRLEN TTL TYPE ZADD
    ZCARD ZCOUNT ZINCRBY ZMSCORE ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYRANK
    ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE
    """
)
"""The first word after the command is the only key."""

EVERY = frozenset({"DEL", "EXISTS", "MGET", "TOUCH", "UNLINK", "WATCH"})
"""Each word after the command is a key."""

BOTH = frozenset({"RENAME", "RENAMENX"})
COUNTED = frozenset({"ZDIFF", "ZINTER", "ZINTERCARD", "ZUNION"})
"""The number of keys, then the keys."""

STORED = frozenset({"ZDIFFSTORE", "ZINTERSTORE", "ZUNIONSTORE"})
"""The key of the result, the number of keys, then the keys."""

SCRIPTS = frozenset({"EVAL", "EVALSHA"})
"""The script, the number of keys, then the keys."""

NONE = words_of(
    """
    ASKING AUTH BGREWRITEAOF CLIENT CLUSTER CONFIG DBSIZE DISCARD ECHO EXEC HELLO INFO MULTI PING QUIT ROLE SCRIPT
    SELECT TIME UNWATCH WAIT
    """
)

SHARDED = {"PUBLISH": "SPUBLISH", "SUBSCRIBE": "SSUBSCRIBE", "UNSUBSCRIBE": "SUNSUBSCRIBE"}
"""A message of a plain channel goes to every server of the cluster, one of a sharded channel to those with its slot."""

Rename = Callable[[Any], Any]


def renamed(words: Sequence[Any], rename: Rename) -> Sequence[Any]:
    """`words` of a command with each key renamed. Raises ValueError for a command whose keys are not known here."""
    command = _text(words[0]).upper()
    if command in FIRST:
        return [words[0], rename(words[1]), *words[2:]]
    if command in NONE:
        return words
    if command in SHARDED:
        channels = 1 if command == "PUBLISH" else len(words) - 1
        return [SHARDED[command], *_some(words, rename, 1, channels)[1:]]
    if command in EVERY:
        return [words[0], *map(rename, words[1:])]
    if command in BOTH:
        return [words[0], rename(words[1]), rename(words[2]), *words[3:]]
    if command in COUNTED:
        return _some(words, rename, 2, int(words[1]))
    if command in STORED:
        return _some([words[0], rename(words[1]), *words[2:]], rename, 3, int(words[2]))
    if command in SCRIPTS:
        if not int(words[2]):
            raise ValueError("a script without a key would not be sent to its place in the cluster")
        return _some(words, rename, 3, int(words[2]))
    return _of_two_words(command, words, rename)


def _of_two_words(command: str, words: Sequence[Any], rename: Rename) -> Sequence[Any]:
    second = _text(words[1]).upper() if len(words) > 1 else ""
    if (command, second) == ("MEMORY", "USAGE"):
        return _some(words, rename, 2, 1)
    if (command, second) == ("PUBSUB", "NUMSUB"):
        return [words[0], "SHARDNUMSUB", *map(rename, words[2:])]
    if command == "SCAN":
        # Without a pattern it would name the keys of all others.
        at = [_text(word).upper() for word in words].index("MATCH") + 1
        return _some(words, rename, at, 1)
    raise ValueError(f"the keys of the command {command} are not known: it cannot be sent to a cluster")


def _some(words: Sequence[Any], rename: Rename, start: int, number: int) -> Sequence[Any]:
    end = start + number
    return [*words[:start], *map(rename, words[start:end]), *words[end:]]


def _text(word: Any) -> str:
    return word.decode() if isinstance(word, bytes) else str(word)


def lua_table(commands: frozenset[str]) -> str:
    """The commands as a table of Lua."""
    return f"{{{', '.join(f'{command} = true' for command in sorted(commands))}}}"
