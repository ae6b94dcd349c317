"""Errors that a task may raise, and errors that a function in the process pool may end with."""

from typing import Literal

Part = Literal["database", "storage", "disk"]
"""Parts that a worker cannot work without."""


class Permanent(Exception):
    """An error that no retry can fix. Its message is one sentence for the person who sent the job."""


class RetryLater(Exception):
    """Try again after `delay_s` seconds without spending an attempt (a rate limit, a peer that asks for patience)."""

    def __init__(self, delay_s: float, reason: str) -> None:
        super().__init__(reason)
        self.delay_s = delay_s


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
