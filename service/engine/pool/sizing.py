"""Number of children of a pool: as many as there are cores and memory for."""

import os
from dataclasses import dataclass

from tasks.sdk import memory_group

CHILD_MB = 2_000
"""Memory of a child that reads pages: measured at 1.6 to 1.8 GB with either engine."""

RESERVE_MB = 1_000
"""Left to the worker itself, the server on the same machine and the system."""


@dataclass(frozen=True)
class PoolSize:
    """`children`, and `reason`, a sentence for the log that says what set the number."""

    children: int
    reason: str


def pool_size(
    wanted: int, *, child_mb: int = CHILD_MB, cores: int | None = None, free_mb: int | None = None
) -> PoolSize:
    """At most `wanted` children, at most one per core, and no more than fit the memory free now; always one.

    `child_mb` is the memory that a child takes at most. `cores` and `free_mb` (MB) are measured where they are None.
    """
    cores = cores if cores is not None else len(os.sched_getaffinity(0))
    free_mb = free_mb if free_mb is not None else memory_group.free_mb()
    fit = max(0, free_mb - RESERVE_MB) // child_mb
    children = max(1, min(wanted, cores, fit))
    reason = f"{children} of {wanted} wanted: {cores} cores, {free_mb:,} MB free, {child_mb:,} MB a child"
    return PoolSize(children, reason)
