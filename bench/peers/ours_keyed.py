"""Offload's client in the bench of limits: fills the queue with jobs of the type that BENCH_TYPE names."""

import os

from bench.peers import ours


async def fill(count: int, *, bulk: bool) -> None:
    """Enqueue `count` jobs."""
    if os.environ["BENCH_TYPE"] == "bench-stamp":
        await ours.fill(count, bulk=bulk)
    else:
        await ours.fill_keyed(count, os.environ["BENCH_TYPE"])
