"""Lines cut out of the page at the recogniser's height, and batches of lines of like width."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

HEIGHT = 48
"""Pixels; the height for which the recogniser was trained."""

WIDEST = 3_200
"""Pixels; a longer line is squeezed. A line of 10 pt over the long side of A3 is 2,400."""

WIDTHS = (
    *range(64, 512, 32),
    *range(512, 1024, 64),
    *range(1024, 2048, 128),
    *range(2048, WIDEST + 1, 384),
)
"""Batches have one of these widths: the runtime prepares itself for each, and keeps memory for it."""

BATCH_PIXELS = 5_120
"""Columns of one batch: some eight lines of a page's width. More at once costs memory and gains no time."""

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
    size = min(WIDEST, max(8, round(piece.shape[1] * scale)))
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
    """Indices of crops and their pictures, (n, 1, HEIGHT, width) uint8, narrowest first."""
    by_width = sorted(range(len(crops)), key=lambda index: crops[index].shape[1])
    start = 0
    while start < len(by_width):
        # The widest decides the batch's width: from the narrowest up, as many as stand in the next wider step of it.
        width = _batch_width(crops[by_width[start]].shape[1])
        chosen = []
        for index in by_width[start : start + min(MOST_LINES, max(1, BATCH_PIXELS // width))]:
            if crops[index].shape[1] > width:
                break
            chosen.append(index)
        start += len(chosen)
        pictures = np.full((len(chosen), 1, HEIGHT, width), GREY, np.uint8)
        for place, index in enumerate(chosen):
            pictures[place, 0, :, : crops[index].shape[1]] = crops[index]
        yield chosen, pictures


def _batch_width(width: int) -> int:
    """The step that holds `width`."""
    return next(step for step in WIDTHS if step >= width)
