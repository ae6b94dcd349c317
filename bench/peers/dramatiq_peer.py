"""Dramatiq with one process of eight threads, its own default. It is synchronous, and has no results unless asked."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers import synchronous

broker = RedisBroker(url=os.environ.get("BENCH_URL", "redis://127.0.0.1"))
dramatiq.set_broker(broker)
client = synchronous.Client(dramatiq.actor(synchronous.noop).send, dramatiq.actor(synchronous.busy).send)
