"""A trouble that lasts is logged when it begins and once a minute after that: once is overlooked, always is noise."""

import time

AGAIN_S = 60.0
"""Interval in which a lasting trouble is logged again."""


class Reminder:
    """Says when to log a trouble, and whether it had been logged once it is over."""

    def __init__(self, again_s: float = AGAIN_S) -> None:
        self.again_s = again_s
        self.logged_s: float | None = None
        self.lasting = False
        """True from the first call of `due` to the one of `over`."""

    def due(self) -> bool:
        """True where the trouble is to be logged now."""
        now_s = time.monotonic()
        if self.logged_s is not None and now_s - self.logged_s < self.again_s:
            return False
        self.logged_s, self.lasting = now_s, True
        return True

    def over(self) -> bool:
        """The trouble is over. True where it had been logged."""
        lasted, self.lasting, self.logged_s = self.lasting, False, None
        return lasted
