"""The time as everything here keeps it: the queue server's, so that no machine's own clock counts for anything."""

import time


class ServerClock:
    """The clock of a server, as this process has last heard it. Until it has, this machine's own.

    Between two answers it goes on by the monotonic clock, which nobody sets.
    """

    UNSURE_S = 0.5
    """An answer that took longer says too little of when it was given, once there has been a better one."""

    def __init__(self) -> None:
        self.ahead_ms: float | None = None

    def hear(self, server_ms: float, asked_s: float) -> None:
        """Take in what the server's clock showed, in ms since the epoch, when it was asked at `asked_s` (monotonic)."""
        heard_s = time.monotonic()
        if self.ahead_ms is None or heard_s - asked_s <= self.UNSURE_S:
            # It was read somewhere between the question and the answer.
            self.ahead_ms = server_ms - (asked_s + heard_s) * 500

    def now_ms(self) -> int:
        if self.ahead_ms is None:
            return int(time.time() * 1000)
        return int(time.monotonic() * 1000 + self.ahead_ms)


SERVER = ServerClock()


def now_ms() -> int:
    """Milliseconds since the epoch, by the queue server's clock (this machine's until it has been heard)."""
    return SERVER.now_ms()
