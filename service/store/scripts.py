"""Loads the Lua beside this file and calls it. Each transition of a job is one call of one script."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from service.redis import Client

FOLDER = Path(__file__).parent / "lua"


def _text(file: str) -> str:
    return (FOLDER / f"{file}.lua").read_text()


class Script:
    """One script, sent by its hash; the whole text travels only when the server does not know it (a restart).

    `needs` names the files beside common.lua whose functions it calls. They are made anew in each call, some 2,000
    instructions of the server's each; those of `made_when_called` only where the script calls the file by its name.
    """

    def __init__(self, name: str, *needs: str, made_when_called: Sequence[str] = ()) -> None:
        shared = "\n".join(_text(file) for file in ("common", *needs))
        shared += "".join(f"\nlocal function {file}()\n{_text(file)}\nend" for file in made_when_called)
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


ENQUEUE = Script("enqueue", "writing", made_when_called=("taking", "handing"))
ADOPT = Script("enqueue", "existing", "ending", "writing", made_when_called=("taking", "handing"))
"""The same for jobs of which some may be refused."""
CLAIM = Script("claim", "existing", "ending", made_when_called=("taking",))
RENEW = Script("renew")
PROGRESS = Script("progress", "advancing")
CHECKPOINT = Script("checkpoint")
PARTS = Script("parts", "existing", "ending", "writing")
SETTLE = Script("settle", "existing", "ending", "writing", "advancing")
CANCEL = Script("cancel", "existing", "ending")
RETRY = Script("retry", "existing", "ending", "writing")
DELETE = Script("delete", "existing", "listing")
RESTORE = Script("restore", "existing", "listing")
PURGE = Script("purge", "existing", "listing")
ROLLUP = Script("rollup")
SCHEDULE = Script("schedule", "writing")
LOG = Script("log")
