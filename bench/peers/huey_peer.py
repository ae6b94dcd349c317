"""Huey with one thread, results off. Its client is synchronous."""

import os

from huey import RedisHuey

from bench.peers import synchronous

huey = RedisHuey("bench", url=os.environ.get("BENCH_URL", "redis://127.0.0.1"), results=False)
client = synchronous.Client(huey.task()(synchronous.noop), huey.task()(synchronous.busy))
