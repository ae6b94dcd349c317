"""Job state in Redis: one package reads and writes it, and nothing else knows a key's name."""

from service.store.errors import IdempotencyConflict, LeaseLost, NoSuchJob, TooManyQueued, WrongState
from service.store.pages import Wanted
from service.store.queries import Page
from service.store.record import Attempt, Job, LogLine, WorkerInfo
from service.store.store import Claimed, Queued, Store

__all__ = [
    "Attempt",
    "Claimed",
    "IdempotencyConflict",
    "Job",
    "LeaseLost",
    "LogLine",
    "NoSuchJob",
    "Page",
    "Queued",
    "Store",
    "TooManyQueued",
    "Wanted",
    "WorkerInfo",
    "WrongState",
]
