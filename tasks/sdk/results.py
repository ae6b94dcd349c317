"""Bound of a job's result: it stands in the queue server, is copied with its record and shown whole by the API."""

from tasks.sdk.errors import Permanent

RESULT_BYTES_MAX = 4 << 20
"""Bytes of a result as JSON. The largest of ours names 5,000 failed pages in half of that."""


def refuse_too_large(result: str) -> None:
    """Raise Permanent for a result, as JSON, that is not kept."""
    # A character has four bytes at most.
    size = len(result) if len(result) * 4 <= RESULT_BYTES_MAX else len(result.encode())
    if size > RESULT_BYTES_MAX:
        raise Permanent(
            f"The result has {size:,} bytes; at most {RESULT_BYTES_MAX:,} are kept: write it to a file with run.artefact "
            "and return what sums it up."
        )
