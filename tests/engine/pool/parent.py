"""A parent process for one test: starts a pool, gives it a task that hangs, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

from service.engine.pool.cpu_pool import CpuPool
from tests.engine.pool import work


async def main(marker: Path) -> None:
    await CpuPool(1).run(work.mark_and_hang, marker)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
