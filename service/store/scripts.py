"""Loads the Lua beside this file and calls it. Each transition of a job is one call of one script."""

import hashlib
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from service.redis import Client

FOLDER = Path(__file__).parent / "lua"


class Script:
    """One script, sent by its hash; the whole text travels only when the server does not know it (a restart)."""

    def __init__(self, name: str) -> None:
        common, body = (FOLDER / "common.lua").read_text(), (FOLDER / f"{name}.lua").read_text()
        self.text = (
            # What the script has put together is written out even where it ends in an error.
            f"{common}\nlocal function script()\n{body}\nend\n"
            "local fine, answer = pcall(script)\nwrite_out()\nif not fine then error(answer, 0) end\nreturn answer\n"
        )
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, redis: Client, *args: Any) -> Any:
        try:
            return await redis.execute_command("EVALSHA", self.sha, 0, *args)
        except NoScriptError:
            return await redis.execute_command("EVAL", self.text, 0, *args)


ENQUEUE = Script("enqueue")
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
PURGE = Script("purge")
ROLLUP = Script("rollup")
SCHEDULE = Script("schedule")
LOG = Script("log")
