"""Lines cut out of the page at the recogniser's height, and batches of lines of like width."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

HEIGHT = 48
"""Pixels; the height for which the recogniser was trained."""

WIDEST = 3_200
"""Pixels; a longer line is squeezed. A line of 10 pt over the long side of A3 is 2,400."""

STEP = 1.12
"""Each of WIDTHS is so many times the one before, rounded to whole steps of the recogniser (eight columns)."""


def _widths() -> tuple[int, ...]:
    widths = [64]
    while widths[-1] < WIDEST:
        widths.append(max(widths[-1] + 16, 8 * round(widths[-1] * STEP / 8)))
    return tuple(widths)


WIDTHS = _widths()
"""Batches have one of these widths, and one of the sizes of `_together`: the runtime prepares itself for each shape that it
has not kept, which takes as long as reading two lines, and keeps memory for each. Lines are padded and not squeezed: at
.85 of their width nothing is lost on 55 real pages, but a hundredth of the words of 10 pt Times on a page turned sideways."""

MOST_LINES = 8

GREY = 128
"""Fills a batch behind each line: nearly 0 to the network, as in its training."""

SHRINK = 1.5
"""A line this many times higher than wanted is averaged down; between it and 1 interpolation loses nothing."""

LEVEL = 0.06
"""A line that rises less than this share of its height from end to end is cut out without turning."""


def cut(page: np.ndarray, box: np.ndarray, turns: int = 0) -> np.ndarray:
    """The line in `box` (see `boxes.boxes`) as a picture HEIGHT pixels high, turned clockwise by quarter `turns`."""
    x, y, width, height, angle = box.tolist()
    piece = _level(page, x, y, width, height) if _is_level(width, height, angle) else _turned(page, box)
    if not piece.size:
        return np.full((HEIGHT, 16), 255, np.uint8)
    if turns:
        piece = np.ascontiguousarray(np.rot90(piece, -turns))
    scale = HEIGHT / piece.shape[0]
    size = max(8, round(piece.shape[1] * scale))
    size = min(size, WIDTHS[-1])
    return cv2.resize(piece, (size, HEIGHT), interpolation=cv2.INTER_AREA if scale < 1 / SHRINK else cv2.INTER_LINEAR)


def _is_level(width: float, height: float, angle: float) -> bool:
    longer, shorter = max(width, height), min(width, height)
    return abs(np.radians(angle)) * longer < max(1.0, LEVEL * shorter)


def _level(page: np.ndarray, x: float, y: float, width: float, height: float) -> np.ndarray:
    top, bottom = round(y - height / 2), round(y + height / 2)
    left, right = round(x - width / 2), round(x + width / 2)
    return page[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]


def _turned(page: np.ndarray, box: np.ndarray) -> np.ndarray:
    x, y, width, height, angle = box.tolist()
    size = max(1, round(width)), max(1, round(height))
    turn = cv2.getRotationMatrix2D((x, y), angle, 1.0)
    turn[:, 2] += np.array([size[0] / 2 - x, size[1] / 2 - y])
    return cv2.warpAffine(page, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def batches(crops: Sequence[np.ndarray]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Indices of crops and their pictures, (n, 1, HEIGHT, width) uint8, narrowest first.

    There may be more pictures than indices: the last ones are empty, so that a batch has a size that the runtime knows.
    """
    by_width: dict[int, list[int]] = {}
    for index in sorted(range(len(crops)), key=lambda index: crops[index].shape[1]):
        by_width.setdefault(_batch_width(crops[index].shape[1]), []).append(index)
    for width, members in by_width.items():
        together = _together(width)
        for start in range(0, len(members), together):
            chosen = members[start : start + together]
            rows = together if len(chosen) > 1 or together == MOST_LINES else 1
            pictures = np.full((rows, 1, HEIGHT, width), GREY, np.uint8)
            for row, index in enumerate(chosen):
                pictures[row, 0, :, : crops[index].shape[1]] = crops[index]
            yield chosen, pictures


def _batch_width(width: int) -> int:
    """The narrowest of WIDTHS that holds `width`."""
    return next(step for step in WIDTHS if step >= width)


def _together(width: int) -> int:
    """Lines in a batch."""
    return MOST_LINES if width <= 160 else 4 if width <= 320 else 2
