"""BullMQ's jobs for Bull Board: one of each state and queue by BullMQ itself, then copies of them."""

import os
import subprocess
import sys
from pathlib import Path

from redis import Redis

from bench.harness.clones import Entry, Pattern, copy
from bench.harness.shares import QUEUES, SHARES, shared_out

BOARD = Path(__file__).parent / "bull_board" / "board.mjs"


def fill(node: str, count: int) -> None:
    subprocess.run([node, str(BOARD), "fill"], check=True)
    redis = Redis.from_url(os.environ["BENCH_URL"])
    for queue in QUEUES:
        for state in SHARES:
            job_id = f"{state}-000000000000"
            entry = Entry(f"bull:{queue}:wait", job_id)
            if state != "queued":
                index = f"bull:{queue}:{state}"
                entry = Entry(index, job_id, float(redis.zscore(index, job_id) or 0), -1)
            copy(redis, Pattern(job_id, [f"bull:{queue}:{job_id}"], [entry], {}), shared_out(count, state))
    print("job", "failed-000000000001")


if __name__ == "__main__":
    fill(sys.argv[1], int(sys.argv[2]))
