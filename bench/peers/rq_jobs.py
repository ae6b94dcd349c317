"""RQ's no-op job and its long one: a worker imports them by name."""

import time

from bench.harness.stamps import BEGUN, ENDED, stamp


def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    time.sleep(seconds)
    stamp(ENDED)
