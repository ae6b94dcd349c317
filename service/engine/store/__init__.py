"""Job state in Redis: one package reads and writes it, and nothing else knows a key's name."""

from service.engine.store.errors import (
    AcrossServers,
    IdempotencyConflict,
    LeaseLost,
    NoSuchJob,
    NoSuchWorkflow,
    NotReplicated,
    OtherParts,
    OverLimit,
    TooManyQueued,
    WrongState,
)
from service.engine.store.job_filter import JobFilter
from service.engine.store.queries import Page
from service.engine.store.records import Attempt, Job, LogLine
from service.engine.store.store import Queued, Store
from service.engine.store.worker_reports import WorkerInfo
from service.engine.store.worker_verbs import Claimed

__all__ = [
    "AcrossServers",
    "Attempt",
    "Claimed",
    "IdempotencyConflict",
    "Job",
    "JobFilter",
    "LeaseLost",
    "LogLine",
    "NoSuchJob",
    "NoSuchWorkflow",
    "NotReplicated",
    "OtherParts",
    "OverLimit",
    "Page",
    "Queued",
    "Store",
    "TooManyQueued",
    "WorkerInfo",
    "WrongState",
]
