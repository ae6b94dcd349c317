"""Importing this declares every job type: each module of tasks/ that is a job's own file is imported."""

import importlib
import pkgutil
from typing import Any, cast

from arq.worker import Function

import tasks
from settings.queues import Queue
from tasks.sdk.packages import load_packages
from tasks.sdk.types import REGISTRY

ROOT = "workers"
"""The module of tasks/ that declares no job: it wires the workers, and importing it reads the settings."""

for module in pkgutil.iter_modules(tasks.__path__):
    if not module.ispkg and module.name != ROOT:
        importlib.import_module(f"tasks.{module.name}")


# After our own, whose names are taken.
load_packages()


def functions(queue: Queue) -> list[Function]:
    """The queue's job types as arq declares functions: their names for `arq`, their bodies for a reader.

    arq's own limits are left open here; attempts and timeouts are the execution's, so that ours always speak first.
    """
    return [
        Function(
            t.name, cast(Any, t.function), timeout_s=None, keep_result_s=0, keep_result_forever=False, max_tries=None
        )
        for t in REGISTRY.values()
        if t.queue == queue
    ]
