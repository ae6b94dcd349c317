"""Loads the Lua beside this file and calls it. Each transition of a job is one call of one script."""

import hashlib
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from service.redis import Client

FOLDER = Path(__file__).parent / "lua"


class Script:
    """One script, sent by its hash; the whole text travels only when the server does not know it (a restart).

    `needs` names the files beside common.lua whose functions it calls. They are made anew in each call, some 2,000
    instructions of the server's each.
    """

    def __init__(self, name: str, *needs: str) -> None:
        shared = "\n".join((FOLDER / f"{file}.lua").read_text() for file in ("common", *needs))
        body = (FOLDER / f"{name}.lua").read_text()
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


ENQUEUE = Script("enqueue", "ending", "writing", "taking")
CLAIM = Script("claim", "ending", "taking")
RENEW = Script("renew")
PROGRESS = Script("progress", "advancing")
CHECKPOINT = Script("checkpoint")
PARTS = Script("parts", "ending", "writing")
SETTLE = Script("settle", "ending", "writing", "advancing")
CANCEL = Script("cancel", "ending")
RETRY = Script("retry", "ending", "writing")
DELETE = Script("delete", "listing")
RESTORE = Script("restore", "listing")
PURGE = Script("purge", "listing")
ROLLUP = Script("rollup")
SCHEDULE = Script("schedule", "writing")
LOG = Script("log")
