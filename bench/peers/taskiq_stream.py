"""taskiq over a Redis stream, 100 tasks at once, no result backend; a task is acknowledged when it has run."""

import os

from taskiq_redis import RedisStreamBroker

from bench.peers.taskiq_client import Client

# From the stream's first entry: what waits before the first worker came is to be run too.
broker = RedisStreamBroker(os.environ.get("BENCH_URL", "redis://127.0.0.1"), consumer_id="0")
client = Client(broker)
