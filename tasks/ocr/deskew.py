"""A page turned by quarter turns, levelled and cut to its ink, and the way back from its pixels to the page's."""

from dataclasses import dataclass

import cv2
import numpy as np

from tasks.ocr.words import Box

LEVEL = 0.1
"""Degrees; less than this is left alone, for turning blurs a little."""

RIM = 0.02
"""White left round the ink, as a share of the longest side; boxes are widened by the detector."""

SMALLEST_RIM = 16
"""Pixels; the detector needs paper round a lone word."""


@dataclass(frozen=True)
class Upright:
    """An upright picture cut to its ink, and `matrix` (2 × 3), which maps its pixels to those of the original."""

    picture: np.ndarray
    matrix: np.ndarray
    quarter_turns: int
    """Clockwise quarter turns that brought it upright: 0 to 3."""
    skew: float
    """Degrees by which its lines ran downhill."""

    def on_page(self, box: Box) -> Box:
        """The rectangle round a box of this picture where it lies on the page, in the page's pixels."""
        left, top, right, bottom = box
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ self.matrix.T
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return x0, y0, x1, y1

    def from_page(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes of lines (see `ppocr.boxes`) in the page's pixels as boxes in this picture's."""
        moved = boxes.copy()
        ahead = cv2.invertAffineTransform(self.matrix)
        moved[:, :2] = boxes[:, :2] @ ahead[:, :2].T + ahead[:, 2]
        moved[:, 4] -= self.skew
        if self.quarter_turns % 2:
            moved[:, [2, 3]] = moved[:, [3, 2]]
        return moved


def set_upright(picture: np.ndarray, quarter_turns: int, skew: float, ink: Box) -> Upright:
    """Turn a grey picture (uint8) clockwise, then uphill by `skew` degrees, and cut it to `ink`, a box of its pixels."""
    height, width = picture.shape
    matrix = _turned(quarter_turns, width, height)
    if quarter_turns:
        picture = np.rot90(picture, -quarter_turns)
    height, width = picture.shape
    back = np.vstack((matrix, [0, 0, 1]))
    left, top, right, bottom = _moved(ink, np.linalg.inv(back)[:2])
    level = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    if abs(skew) >= LEVEL:
        level = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0)
        left, top, right, bottom = _moved((left, top, right, bottom), level)
    else:
        skew = 0.0
    rim = max(SMALLEST_RIM, RIM * max(width, height))
    x0, y0, x1, y1 = (round(side) for side in (left - rim, top - rim, right + rim, bottom + rim))
    if not skew:
        # Beyond the page there is nothing to cut out.
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
        cut = picture[y0:y1, x0:x1]
    else:
        shifted = level.copy()
        shifted[:, 2] -= (x0, y0)
        paper = int(np.median(picture[::8, ::8]))
        size = max(1, x1 - x0), max(1, y1 - y0)
        cut = cv2.warpAffine(np.ascontiguousarray(picture), shifted, size, flags=cv2.INTER_LINEAR, borderValue=paper)
    shift = np.array([[1, 0, x0], [0, 1, y0]], float)
    matrix = _chained(_chained(shift, cv2.invertAffineTransform(level)), matrix)
    return Upright(np.ascontiguousarray(cut), matrix, quarter_turns, skew)


def _moved(box: Box, matrix: np.ndarray) -> Box:
    """The rectangle round a box after an affine map."""
    left, top, right, bottom = box
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ matrix.T
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return x0, y0, x1, y1


def _turned(turns: int, width: int, height: int) -> np.ndarray:
    """Maps a pixel of the picture turned clockwise by quarter turns to the original, `width` × `height`."""
    match turns % 4:
        case 1:
            return np.array([[0, 1, 0], [-1, 0, height - 1]], float)
        case 2:
            return np.array([[-1, 0, width - 1], [0, -1, height - 1]], float)
        case 3:
            return np.array([[0, -1, width - 1], [1, 0, 0]], float)
        case _:
            return np.array([[1, 0, 0], [0, 1, 0]], float)


def _chained(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """One affine map after another."""
    return then @ np.vstack((first, [0, 0, 1]))
