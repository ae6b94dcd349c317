"""Celery with one prefork child, results off, and acknowledgement after the job: without it a killed worker loses it."""

import os

from celery import Celery

from bench.peers import synchronous

app = Celery("bench", broker=os.environ.get("BENCH_URL", "redis://127.0.0.1"))
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True)
client = synchronous.Client(app.task(synchronous.noop).delay, app.task(synchronous.busy).delay)
