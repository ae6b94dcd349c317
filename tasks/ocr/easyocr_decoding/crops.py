"""Cutting pieces out of the page, and putting crops of like width into batches."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

HEIGHT = 64
"""Pixels; the height for which EasyOCR's recognisers were trained."""

MULTIPLE = 32
"""Batches are padded to a multiple of this width, so that the runtime prepares few shapes."""

BATCH = 8
GROWTH = 1.05
"""A batch takes crops up to 5 % + 32 pixels wider than its narrowest, and at most 8: padding is work for nothing. Of the
sizes tried (4 to 32, 5 to 15 %) this one cost least, if only by a twentieth."""

FAINT = 0.5
"""Crops of less contrast than this are stretched for their second reading (EasyOCR's adjust_contrast)."""


def cut(page: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The piece (corners clockwise from the top left) as a picture HEIGHT pixels high."""
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    level = corners[0][1] == corners[1][1]
    piece = page[top:bottom, left:right] if level else _straightened(page, corners)
    if not piece.size:
        return np.full((HEIGHT, 4), 255, np.uint8)
    width = max(4, round(piece.shape[1] * HEIGHT / piece.shape[0]))
    return cv2.resize(piece, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)


def _straightened(page: np.ndarray, corners: np.ndarray) -> np.ndarray:
    width = max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3]))
    height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    size = max(1, int(width)), max(1, int(height))
    target = np.array([[0, 0], [size[0] - 1, 0], [size[0] - 1, size[1] - 1], [0, size[1] - 1]], np.float32)
    return cv2.warpPerspective(page, cv2.getPerspectiveTransform(corners.astype(np.float32), target), size)


def batches(crops: Sequence[np.ndarray]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Indices of crops and their pictures (n, 1, HEIGHT, width) float32, padded by repeating each crop's last column."""
    by_width = sorted(range(len(crops)), key=lambda index: crops[index].shape[1])
    while by_width:
        limit = crops[by_width[0]].shape[1] * GROWTH + MULTIPLE
        size = sum(1 for index in by_width[:BATCH] if crops[index].shape[1] <= limit)
        chosen, by_width = by_width[:size], by_width[size:]
        width = -(-crops[chosen[-1]].shape[1] // MULTIPLE) * MULTIPLE
        padded = [np.pad(crops[index], ((0, 0), (0, width - crops[index].shape[1])), "edge") for index in chosen]
        yield chosen, np.stack(padded)[:, None].astype(np.float32)


def stretched(crop: np.ndarray) -> np.ndarray:
    """The crop with its contrast stretched where it is faint."""
    low, high = np.percentile(crop, (10, 90))
    if (high - low) / max(10, high + low) >= FAINT:
        return crop
    return ((crop.astype(np.float32) - low + 25) * (200 / max(10, high - low))).clip(0, 255).astype(np.uint8)
