"""One contender's client, alone in a process.

`python -m bench.harness.client MODULE pickup N PAUSE_S | fill N single|bulk | long S | after FILE (one of these)`.
MODULE has these as coroutines, or a `client` that has them. `after` imports first and begins when FILE exists, so that the
start of an interpreter is in no figure.
"""

import asyncio
import contextlib
import importlib
import sys
import time
from pathlib import Path
from typing import Any

with contextlib.suppress(ImportError):
    # The loop that web servers run on; both environments have it, so it favours none.
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def act(client: Any, steps: list[str]) -> None:
    if steps[0] == "after":
        while not Path(steps[1]).exists():
            time.sleep(0.005)
        act(client, steps[2:])
    elif steps[0] == "pickup":
        asyncio.run(client.pickup(int(steps[1]), float(steps[2])))
    elif steps[0] == "long":
        asyncio.run(client.long(float(steps[1])))
    else:
        print(asyncio.run(client.fill(int(steps[1]), bulk=steps[2] == "bulk")))


if __name__ == "__main__":
    peer = importlib.import_module(sys.argv[1])
    act(getattr(peer, "client", peer), sys.argv[2:])
