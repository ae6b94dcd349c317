"""Loads the Lua scripts and calls them. Each transition of a job is one call of one script.

The head of each Lua file says what it is put together from and what the server lets it do:

- `#!lua` at its first line: a server that takes no writes at present (no memory, a replica, too few replicas, a full disk)
  refuses it as a whole, before it has written anything. With `flags=allow-oom` it runs on a server without memory: what
  ends in freeing some must not wait for some.
- `-- includes: a, b; when called: c`: the files of `includes/` whose functions it calls, besides common.lua. They are made
  again in each call, some 2,000 instructions of the server's each; those `when called` only where the script calls the file
  by its name.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

from service.engine.redis.client import Client
from service.engine.redis.key_positions import EVERY, FIRST, NONE, lua_table

KEEP_MINUTES = 2_880
"""Minutes whose counts are kept: two days. Also how far back minutes can still be folded. The scripts know it by this name."""

FOLDER = Path(__file__).parent / "lua"

INCLUDES = re.compile(r"^-- (?:includes: ([^;\n]*))?(?:(?:; )?when called: (.*))?$", re.MULTILINE)


class Head(NamedTuple):
    """Head of a Lua file."""

    shebang: str
    includes: list[str]
    when_called: list[str]


def head_of(text: str) -> Head:
    """The head of a script's text. Raises ValueError where its first line does not say what the server may let it do."""
    first, _, rest = text.partition("\n")
    if not first.startswith("#!lua"):
        raise ValueError(f"a script begins with #!lua, not with {first[:40]!r}")
    named = INCLUDES.search(rest)
    return Head(first, *([_names(group) for group in named.groups()] if named else [[], []]))


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


def _include(name: str) -> str:
    return (FOLDER / "includes" / f"{name}.lua").read_text()


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@cache
def tagging() -> str:
    """Preamble by which the keys of a script are those of its place in a cluster."""
    tables = {"FIRST": FIRST, "EVERY": EVERY, "NONE": NONE}
    return "\n".join([*(f"local {name} = {lua_table(words)}" for name, words in tables.items()), _include("hash_tag")])


class Script:
    """One script, sent by its hash; the whole text travels only when the server does not know it (a restart)."""

    def __init__(self, name: str) -> None:
        text = (FOLDER / f"{name}.lua").read_text()
        head = head_of(text)
        # Those that are made when they are called rest on common.lua alone, and others may call them. Each is made once a
        # call: what it has read of a key is then true for all that ask for it.
        made = [
            f"local function make_{file}()\n{_include(file)}\nend\nlocal made_{file}\nlocal function {file}()\n"
            f"  made_{file} = made_{file} or {{make_{file}()}}\n  return unpack(made_{file})\nend"
            for file in head.when_called
        ]
        shared = "\n".join(
            [f"local KEEP_MINUTES = {KEEP_MINUTES}", _include("common"), *made, *map(_include, head.includes)]
        )
        body = text.partition("\n")[2]
        # An error ends the call before what was put together is written: a removal must not outlive the write that
        # was refused.
        rest = f"{shared}\nlocal function script()\n{body}\nend\nlocal answer = script()\nwrite_out()\nreturn answer\n"
        self.text = f"{head.shebang}\n{rest}"
        self.tagged_text = f"{head.shebang}\n{tagging()}\n{rest}"
        self.sha, self.tagged_sha = _sha(self.text), _sha(self.tagged_text)

    async def __call__(self, redis: Client, *args: Any) -> Any:
        if getattr(redis, "in_cluster", False):
            return await self._in_cluster(redis, args)
        try:
            return await redis.execute_command("EVALSHA", self.sha, 0, *args)
        except NoScriptError:
            return await redis.execute_command("EVAL", self.text, 0, *args)

    async def _in_cluster(self, redis: Client, args: Sequence[Any]) -> Any:
        # The name of its only key is the tag alone.
        try:
            return await redis.execute_command("EVALSHA", self.tagged_sha, 1, "", *args)
        except NoScriptError:
            return await redis.execute_command("EVAL", self.tagged_text, 1, "", *args)


ENQUEUE = Script("enqueue")
ENQUEUE_EXTERNAL = Script("enqueue_external")
"""The same for jobs of which some may be refused."""
CLAIM = Script("claim")
RENEW = Script("renew")
PROGRESS = Script("progress")
CHECKPOINT = Script("checkpoint")
PARTS = Script("parts")
SETTLE = Script("settle")
CANCEL = Script("cancel")
RETRY = Script("retry")
DELETE = Script("delete")
RESTORE = Script("restore")
REVISE = Script("revise")
PURGE = Script("purge")
ROLLUP = Script("rollup")
COUNT = Script("count")
COUNT_BY_QUEUE = Script("count_by_queue")
FILTER_IDS = Script("filter_ids")
READ_COUNTS = Script("read_counts")
READ_FIELDS = Script("read_fields")
SCHEDULE = Script("schedule")
LOG = Script("log")
HEARTBEAT = Script("heartbeat")
LEAD = Script("lead")
EXPIRE = Script("expire")
WAIT = Script("wait")
EVENT = Script("event")
LIMITS = Script("limits")
REWRAP = Script("rewrap")
REWRAP_ROWS = Script("rewrap_rows")
SMALL_WRITES = Script("small_writes")
