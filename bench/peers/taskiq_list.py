"""taskiq over a Redis list, 100 tasks at once, no result backend."""

import os

from taskiq_redis import ListQueueBroker

from bench.peers.taskiq_client import Client

broker = ListQueueBroker(os.environ.get("BENCH_URL", "redis://127.0.0.1"))
client = Client(broker)
