"""Histogram buckets: three to each doubling of milliseconds, so that a percentile is right to about a tenth.

Bucket b counts durations above 2^((b-1)/3) ms up to and including 2^(b/3) ms. `bucket()` in includes/common.lua of the store
computes the same. HdrHistogram and Prometheus' native histograms are built on the same idea.
"""

import math
from collections.abc import Mapping

PER_DOUBLING = 3

LAST = 81
"""The last bucket ends at 2^27 ms, a day and a half; what took longer is counted there."""


def bucket(ms: float) -> int:
    """The bucket of a duration."""
    if ms <= 1:
        return 0
    # A hair less, or the logarithm of a power of two would now and then fall above its own bound.
    return min(LAST, math.ceil(PER_DOUBLING * math.log2(ms) - 1e-9))


def upper_ms(number: int) -> float:
    """The longest duration that a bucket counts."""
    return 2.0 ** (number / PER_DOUBLING)


def percentile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The duration that `share` (0 to 1) of the counted ones stay within; None where nothing was counted.

    Inside a bucket durations are taken as evenly spread on the logarithmic scale.
    """
    total = sum(counts.values())
    if not total:
        return None
    left = share * total
    for number in sorted(counts):
        if left <= counts[number]:
            return 2.0 ** ((number - 1 + left / counts[number]) / PER_DOUBLING) if number else 1.0
        left -= counts[number]
    return upper_ms(max(counts))
