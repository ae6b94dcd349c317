"""From CRAFT's two maps to boxes.

CRAFT (Baek et al., "Character Region Awareness for Text Detection", CVPR 2019, section 3.3) gives, at half the size of
its input, how likely each point is in a letter and how likely it is between two letters of a word. A connected area of
either is a word. Each area is handled in a window of its own: over the whole page that is milliseconds instead of seconds.
"""

import cv2
import numpy as np

LETTER = 0.4
LINK = 0.4
"""A point belongs to a letter or to a link above these (EasyOCR's low_text, link_threshold)."""

CERTAIN = 0.7
"""An area counts as text if it reaches this somewhere (EasyOCR's text_threshold)."""

SMALLEST = 10
"""Points; smaller areas are specks."""

SQUARE = 0.1
"""Boxes as square as this are taken upright: the angle of a square says nothing."""


def boxes(letters: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Corners of each word, (n, 4, 2) float32 in the maps' pixels, clockwise from the top left."""
    text = letters > LETTER
    either = (text | (links > LINK)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(either, connectivity=4)
    found = []
    for label, (left, top, width, height, area) in enumerate(stats[1:].tolist(), 1):
        if area < SMALLEST:
            continue
        window = np.s_[top : top + height, left : left + width]
        inside = labels[window] == label
        if letters[window][inside].max() < CERTAIN:
            continue
        found.append(_corners(inside & text[window], (left, top), letters.shape, area))
    return np.array(found, dtype=np.float32).reshape(-1, 4, 2)


def _corners(word: np.ndarray, origin: tuple[int, int], page: tuple[int, ...], area: int) -> np.ndarray:
    """The smallest rectangle round the word's letters, after widening them as much as its area asks for."""
    height, width = word.shape
    grow = int((area * min(width, height) / (width * height)) ** 0.5 * 2)
    padded = np.pad(word.astype(np.uint8), grow + 1)
    ys, xs = np.nonzero(cv2.dilate(padded, np.ones((1 + grow, 1 + grow), np.uint8)))
    points = np.stack((xs, ys), axis=1).astype(np.int32)
    # Points beyond the page's edge are of no use when the word is cut out.
    points += np.array(origin, dtype=np.int32) - grow - 1
    points = points.clip(0, (page[1] - 1, page[0] - 1))
    corners = cv2.boxPoints(cv2.minAreaRect(points))
    sides = np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[1] - corners[2])
    if abs(1 - max(sides) / (min(sides) + 1e-5)) <= SQUARE:
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32)
    return np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0)
