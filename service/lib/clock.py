"""The time as everything here keeps it: the queue server's, so that no machine's own clock counts for anything."""

import time


class ServerClock:
    """The clock of a server, as this process last read it. Before that, this machine's own.

    Between two replies it goes on by the monotonic clock, which cannot be set.
    """

    UNSURE_S = 0.5
    """A reply that took longer is too inexact, once there has been a better one."""

    def __init__(self) -> None:
        self.ahead_ms: float | None = None

    def sync(self, server_ms: float, sent_s: float) -> None:
        """Set by the server's time (ms since the epoch), in reply to a request of `sent_s` (monotonic)."""
        received_s = time.monotonic()
        if self.ahead_ms is None or received_s - sent_s <= self.UNSURE_S:
            # It was read somewhere between the request and the reply.
            self.ahead_ms = server_ms - (sent_s + received_s) * 500

    def now_ms(self) -> int:
        if self.ahead_ms is None:
            return int(time.time() * 1000)
        return int(time.monotonic() * 1000 + self.ahead_ms)


SERVER = ServerClock()


def now_ms() -> int:
    """Milliseconds since the epoch, by the queue server's clock (this machine's until it has been read)."""
    return SERVER.now_ms()
