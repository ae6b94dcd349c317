"""Time for which a child was ready to run and had no core, because others of the machine kept them busy."""

from pathlib import Path

LIMIT_FACTOR = 10.0
"""A task ends after so many times its limit, however little of that time it had a core."""

CHECK_S = 0.25
"""Least time between two looks at a child's threads: each takes half a millisecond of the worker's event loop."""


class CoreWaits:
    """Sums up what a child waited for, from looks at it that come every moment.

    Children yield to web, queue server and their worker's loop (OFFLOAD_CHILD_NICE). Without this a page that is read in two
    seconds ran out of its minute on a machine that was busy for as long, and was lost to its document.
    """

    def __init__(self) -> None:
        self._ready_s = 0.0
        self._checked_s: float | None = None

    def is_due(self, now_s: float) -> bool:
        """True where the last look was CHECK_S ago, or none was taken yet."""
        return self._checked_s is None or now_s - self._checked_s >= CHECK_S

    def waited_s(self, now_s: float, cpu_s: float, ready: bool) -> float:
        """Seconds without a core, at a look: `cpu_s` are what the child has had in all, `ready` says that it wants one now."""
        if ready and self._checked_s is not None:
            self._ready_s += now_s - self._checked_s
        self._checked_s = now_s
        return max(0.0, self._ready_s - cpu_s)


def is_ready(pid: int) -> bool:
    """True where a thread of the process runs or could run; one that sleeps or reads a disk wants no core."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            # The name, in parentheses, may hold any character.
            if stat.read_text().rpartition(")")[2].split()[0] == "R":
                return True
        except (OSError, IndexError):
            continue  # it has ended
    return False


def is_over(elapsed_s: float, waited_s: float, limit_s: float) -> bool:
    """True where a task has had its time: what it waited for a core is not counted, up to LIMIT_FACTOR times the limit."""
    return elapsed_s - waited_s > limit_s or elapsed_s > LIMIT_FACTOR * limit_s
