"""Loads the Lua beside this file and calls it. Each transition of a job is one call of one script."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from service.engine.redis.client import Client

MINUTES_KEPT = 2_880
"""Minutes whose counts are kept: two days. Also how far back minutes can still be folded. The scripts know it by this name."""

FOLDER = Path(__file__).parent / "lua"


def _text(file: str) -> str:
    return (FOLDER / f"{file}.lua").read_text()


def _include(name: str) -> str:
    return _text(f"includes/{name}")


class Script:
    """One script, sent by its hash; the whole text travels only when the server does not know it (a restart).

    `needs` names the files beside common.lua whose functions it calls. They are made anew in each call, some 2,000
    instructions of the server's each; those of `made_when_called` only where the script calls the file by its name.
    """

    def __init__(self, name: str, *needs: str, made_when_called: Sequence[str] = ()) -> None:
        shared = f"local MINUTES_KEPT = {MINUTES_KEPT}\n" + "\n".join(_include(file) for file in ("common", *needs))
        shared += "".join(f"\nlocal function {file}()\n{_include(file)}\nend" for file in made_when_called)
        body = _text(name)
        self.text = (
            # What the script has put together is written out even where it ends in an error.
            f"{shared}\nlocal function script()\n{body}\nend\n"
            "local fine, answer = pcall(script)\nwrite_out()\nif not fine then error(answer, 0) end\nreturn answer\n"
        )
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, redis: Client, *args: Any) -> Any:
        try:
            return await redis.execute_command("EVALSHA", self.sha, 0, *args)
        except NoScriptError:
            return await redis.execute_command("EVAL", self.text, 0, *args)


ENQUEUE = Script("enqueue", "create_job", made_when_called=("lease_job", "dispatch_to_idle"))
ADOPT = Script("enqueue", "load_job", "finish_job", "create_job", made_when_called=("lease_job", "dispatch_to_idle"))
"""The same for jobs of which some may be refused."""
CLAIM = Script("claim", "load_job", "finish_job", made_when_called=("lease_job",))
RENEW = Script("renew")
PROGRESS = Script("progress", "advance_progress")
CHECKPOINT = Script("checkpoint")
PARTS = Script("parts", "load_job", "finish_job", "create_job")
SETTLE = Script("settle", "load_job", "finish_job", "create_job", "advance_progress")
CANCEL = Script("cancel", "load_job", "finish_job")
RETRY = Script("retry", "load_job", "finish_job", "create_job")
DELETE = Script("delete", "load_job", "list_job")
RESTORE = Script("restore", "load_job", "list_job")
PURGE = Script("purge", "load_job", "list_job")
ROLLUP = Script("rollup")
COUNT = Script("count")
SCHEDULE = Script("schedule", "create_job")
LOG = Script("log")
