"""Imports of a job's author: `job`, `Payload`, `Run`, `Meter` and the errors."""

from tasks.sdk.errors import ChildDied, MemoryCeiling, Permanent, Refused, RetryLater
from tasks.sdk.job import job
from tasks.sdk.run import Run
from tasks.sdk.types import Meter, PartResult, Payload

__all__ = [
    "ChildDied",
    "MemoryCeiling",
    "Meter",
    "PartResult",
    "Payload",
    "Permanent",
    "Refused",
    "RetryLater",
    "Run",
    "job",
]
