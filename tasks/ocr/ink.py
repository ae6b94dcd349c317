"""Position of a page's ink, and the share of it lies in letters that no word covers."""

from collections.abc import Iterable

import cv2
import numpy as np

from tasks.ocr.words import Box

SAMPLE_SIDE = 1000
"""Longest side, in pixels, of the picture that is examined: a line of 8 pt is still 8 rows high."""

DARKER = 16
"""Grey levels by which ink is darker than the paper round it at least; a scanner's noise, averaged, is by 10."""

LOWEST, HIGHEST, WIDEST = 0.3, 1.1, 5.0
"""Letters' bounds in heights of the page's lines: smaller are specks and dots, larger are pictures and rules, and letters
that touch make a piece of a word."""

SMALLEST = 6
"""Pixels; what is smaller is dust."""

GROWN = 0.25
"""Words' boxes are grown by this share of the line height: accents and descenders reach out of them."""


class Ink:
    """The dark pixels of a grey page (uint8), looked at in a smaller picture: `mask` (0 or 1) at `scale`."""

    def __init__(self, picture: np.ndarray) -> None:
        self.scale = min(1.0, SAMPLE_SIDE / max(picture.shape))
        size = max(1, round(picture.shape[1] * self.scale)), max(1, round(picture.shape[0] * self.scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        paper = cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (31, 31))
        darkness = cv2.subtract(paper, small)
        threshold, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        self.mask = (darkness > max(threshold, DARKER)).astype(np.uint8)
        self._page = picture.shape

    @property
    def share(self) -> float:
        """The part of the page that is inked, single specks not counted: 0 to 1."""
        return float(self._solid().mean())

    def box(self) -> Box:
        """The rectangle round the ink in the page's pixels; the whole page where there is none."""
        ys, xs = np.nonzero(self._solid())
        height, width = self._page
        if not len(ys):
            return 0, 0, width, height
        left, top, right, bottom = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
        return left / self.scale, top / self.scale, min(width, right / self.scale), min(height, bottom / self.scale)

    def unread(self, words: Iterable[Box], line_height: float) -> float:
        """The share of the ink of letter-like shapes that lies outside `words` (boxes in the page's pixels)."""
        count, _, stats, centres = cv2.connectedComponentsWithStats(self.mask, connectivity=8)
        high = line_height * self.scale
        shapes = stats[1:]
        letter = (
            (shapes[:, 3] >= max(3, LOWEST * high))
            & (shapes[:, 3] <= HIGHEST * high)
            & (shapes[:, 2] <= WIDEST * high)
            & (shapes[:, 4] >= SMALLEST)
        )
        if count < 2 or not letter.any():
            return 0.0
        covered = np.zeros_like(self.mask)
        grown = GROWN * high
        for left, top, right, bottom in words:
            first = max(0, round(left * self.scale - grown)), max(0, round(top * self.scale - grown))
            last = round(right * self.scale + grown), round(bottom * self.scale + grown)
            covered[first[1] : max(0, last[1]), first[0] : max(0, last[0])] = 1
        at = centres[1:][letter].astype(int)
        outside = covered[at[:, 1], at[:, 0]] == 0
        areas = shapes[letter, 4]
        return float(areas[outside].sum() / areas.sum())

    def _solid(self) -> np.ndarray:
        return cv2.morphologyEx(self.mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
