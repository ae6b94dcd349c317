"""Errors that a task may raise, and errors that a function in the process pool may end with."""

import errno
import re
from typing import Literal

Part = Literal["database", "storage", "disk"]
"""Parts that a worker cannot work without."""

FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
FULL_WORDS = re.compile(r"No space left on device|Disk quota exceeded|\(os error (28|122)\)")
"""By its words too: libraries that are not written in Python raise classes of their own for a full disk."""


class Permanent(Exception):
    """An error that no retry can fix. Its message is one sentence for the person who sent the job."""


class RetryLater(Exception):
    """Try again after `delay_s` seconds without spending an attempt (a rate limit, a peer that asks for patience)."""

    def __init__(self, delay_s: float, reason: str) -> None:
        super().__init__(reason)
        self.delay_s = delay_s


class ServicePaused(RetryLater):
    """The external service that a task asked for is paused: the job waits until it is open again, without spending a try."""


class EventTimedOut(Permanent):
    """The event that a job waited for did not come in time. A task may catch it and go on without; else the job fails."""


class Refused(Exception):
    """A payload that cannot be accepted. `field` is the offending field; `status_code` the HTTP answer."""

    def __init__(self, message: str, *, field: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.field = field
        self.status_code = status_code


class ChildDied(Exception):
    """The process that ran the function ended under it (killed, crashed); a second try may well succeed."""


class MemoryCeiling(Exception):
    """The process that ran the function grew past its memory ceiling and was killed."""


class OutOfMemory(MemoryCeiling):
    """The kernel killed the process that ran the function: the memory of the machine, or of its container, was used up."""


class Unreachable(Exception):
    """A part is out of reach or full: the job is put back without spending a try, and its queue waits until it is back.

    For code that knows what it speaks to where the error alone does not tell, such as a function in a pool's child.
    """

    def __init__(self, part: Part, why: str) -> None:
        super().__init__(part, why)
        self.part = part
        self.why = why

    def __str__(self) -> str:
        return f"The {self.part} is out of reach ({self.why})"


def is_infrastructure_error(error: BaseException) -> bool:
    """True where an error is about the machine and not about the work: a task that carries on without what failed raises it.

    The worker waits it out, without spending a try.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Unreachable) or is_disk_full(cause):
            return True
        cause = cause.__cause__
    return False


def is_disk_full(error: BaseException) -> bool:
    """True where an error says that a disk, or a quota on it, is full."""
    return (isinstance(error, OSError) and error.errno in FULL_ERRNOS) or bool(FULL_WORDS.search(str(error)))
