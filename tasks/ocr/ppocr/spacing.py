"""Spaces that the recogniser overlooked: it reads "March 1876" as one word where letters and figures meet."""

from collections.abc import Iterator, Sequence

import numpy as np

STEP = 8
"""Columns of the line's picture to a step of the recogniser."""

CLOSING = frozenset('.,;:!?)]"\u201d')
"""Marks behind which a word may begin."""

FEWEST_SPACES, FEWEST_WITHIN = 2, 8
"""Gaps between words and within words that a line must have: fewer say nothing of how it is set."""

OF_A_SPACE = 0.75
"""A gap as wide as this share of the line's median space may be one. On 4 made and 44 real pages spaces are 10 to 18 pixels wide
and gaps within words 3 to 6, of a height of 48."""

OF_WITHIN = 1.5
"""A gap must be so many times as wide as nine of ten gaps within the line's words: typewriters set letters far apart."""

NARROWEST = 6
"""Columns."""

_Gap = tuple[int, bool, int]


def lost_spaces(letters: Sequence[tuple[str, int]], picture: np.ndarray) -> Iterator[int]:
    """Indexes of the letters before which a space is missing.

    `letters` are the line's letters and spaces, each with its step; `picture` is the line, (height, width), dark on light.
    Only where letters and figures meet, and behind a closing mark, is a gap taken for a space: thin letters as in "ill" or
    figures as in "11" stand as far apart.
    """
    gaps = list(_gaps(letters, picture))
    between = [width for _, spaced, width in gaps if spaced]
    within = [width for _, spaced, width in gaps if not spaced]
    if len(between) < FEWEST_SPACES or len(within) < FEWEST_WITHIN:
        return
    least = max(NARROWEST, OF_A_SPACE * float(np.median(between)), OF_WITHIN * float(np.percentile(within, 90)))
    for index, spaced, width in gaps:
        if not spaced and width >= least and _may_part(letters[index - 1][0], letters[index][0]):
            yield index


def _gaps(letters: Sequence[tuple[str, int]], picture: np.ndarray) -> Iterator[_Gap]:
    """Each letter but the first: its index, whether a space is read before it, and the columns without ink there."""
    darkest, paper = np.percentile(picture, (2, 90))
    inked = (picture < (darkest + paper) / 2).any(axis=0)
    before = None
    for index, (letter, step) in enumerate(letters):
        if letter.isspace():
            continue
        if before is not None:
            columns = inked[before * STEP + STEP // 2 : step * STEP + STEP // 2]
            yield index, letters[index - 1][0].isspace(), _longest_blank(columns)
        before = step


def _longest_blank(inked: np.ndarray) -> int:
    """Length of the longest run without ink."""
    edges = np.flatnonzero(np.concatenate(([True], inked, [True])))
    return int(np.diff(edges).max()) - 1


def _may_part(left: str, right: str) -> bool:
    return (
        (left.isalpha() and right.isdigit())
        or (left.isdigit() and right.isalpha())
        or (left in CLOSING and right.isalnum())
    )
