"""One contender's client, alone in a process: `python -m bench.harness.client MODULE pickup N PAUSE_S|fill N BULK|long S`."""

import asyncio
import importlib
import sys

if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    if sys.argv[2] == "pickup":
        asyncio.run(module.pickup(int(sys.argv[3]), float(sys.argv[4])))
    elif sys.argv[2] == "long":
        asyncio.run(module.long(float(sys.argv[3])))
    else:
        print(asyncio.run(module.fill(int(sys.argv[3]), bulk=sys.argv[4] == "bulk")))
