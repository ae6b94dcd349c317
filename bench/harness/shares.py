"""Which jobs every dashboard of the bench is filled with: four queues, and the same share of each state."""

QUEUES = ("pdf-processing", "email-sender", "csv-export", "thumbnails")

SHARES = {"completed": 0.75, "failed": 0.05, "queued": 0.20}
"""In this order: a pattern that waits would be taken by a worker in the place of the next."""


def shared_out(count: int, state: str, patterns: int = len(QUEUES)) -> int:
    """Copies of one of `patterns` jobs of a state, so that with the jobs themselves there are about `count`."""
    return round(count * SHARES[state] / patterns) - 1
