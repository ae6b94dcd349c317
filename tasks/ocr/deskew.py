"""How a scan lies on its page: sideways, crooked, and where the ink is. Found from row and column sums in milliseconds.

Lines of text make the sums of dark pixels along rows jump from row to row; they jump most when the picture is turned so
that the lines are level (Postl, "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tasks.ocr.words import Box

LOOK = 1000
"""Longest side, in pixels, of the picture that is looked at: a line of 8 pt is still 8 rows high."""

MAX_SKEW = 5.0
COARSE, FINE = 0.5, 0.05
"""Degrees searched either way, and the steps. A twentieth of a degree is 1.5 pixels over the width of a page."""

POINTS = 20_000
"""Dark pixels asked; a page of text has three times as many, and a third of them says the same."""

WORTH = 1.02
"""A turn must make the sums jump this much more than none, so that a page without lines of text stays as it is."""

SIDEWAYS = 1.5
"""Columns must jump this much more than rows before a page is taken to lie on its side."""

LEVEL = 0.1
"""Degrees; less than this is left alone, for turning blurs a little."""

RIM = 0.02
"""White left round the ink, as a share of the longest side; boxes are widened by the detector."""


@dataclass(frozen=True)
class Upright:
    """An upright picture cut to its ink, and `matrix` (2 × 3), which maps its pixels to those of the original."""

    picture: np.ndarray
    matrix: np.ndarray
    quarter_turns: int
    """Clockwise quarter turns that brought it upright, as far as its lines tell: 0 or 1. It may still be upside down."""
    skew: float
    """Degrees by which its lines ran downhill."""

    def on_page(self, box: Box) -> Box:
        """The rectangle round a box of this picture where it lies on the page, in the page's pixels."""
        left, top, right, bottom = box
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ self.matrix.T
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return x0, y0, x1, y1


def set_upright(picture: np.ndarray) -> Upright:
    """Turn and cut a grey picture (uint8)."""
    ink, scale = _ink(picture)
    upright, lying = _Lines(ink), _Lines(np.rot90(ink, -1))
    turns = int(lying.best(0.0, MAX_SKEW, COARSE)[1] > SIDEWAYS * upright.best(0.0, MAX_SKEW, COARSE)[1])
    ink = np.ascontiguousarray(np.rot90(ink, -turns))
    skew = _skew(lying if turns else upright)
    height, width = picture.shape
    matrix = _turned(turns, width, height)
    if turns:
        picture, (height, width) = np.rot90(picture, -turns), (width, height)
    if skew:
        level = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0)
        paper = int(np.median(picture[::8, ::8]))
        picture = cv2.warpAffine(
            np.ascontiguousarray(picture), level, (width, height), flags=cv2.INTER_LINEAR, borderValue=paper
        )
        ink = cv2.warpAffine(
            ink, cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), skew, 1.0), ink.shape[::-1]
        )
        matrix = _chained(cv2.invertAffineTransform(level), matrix)
    left, top, right, bottom = _ink_box(ink, scale, width, height)
    matrix = _chained(np.array([[1, 0, left], [0, 1, top]], float), matrix)
    return Upright(np.ascontiguousarray(picture[top:bottom, left:right]), matrix, turns, skew)


def upside_down(upright: Upright) -> Upright:
    """The same, turned by half a turn."""
    height, width = upright.picture.shape
    half = np.array([[-1, 0, width - 1], [0, -1, height - 1]], float)
    return Upright(
        np.ascontiguousarray(upright.picture[::-1, ::-1]),
        _chained(half, upright.matrix),
        upright.quarter_turns + 2,
        upright.skew,
    )


def _ink(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Darkness against the paper round it (0 or 1, uint8) of a smaller picture, and its scale."""
    scale = min(1.0, LOOK / max(picture.shape))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (31, 31))
    darkness = cv2.subtract(paper, small)
    threshold, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return (darkness > max(threshold, 16)).astype(np.uint8), scale


class _Lines:
    """The dark pixels of a picture, to be asked how much row sums jump when they are sheared."""

    def __init__(self, ink: np.ndarray) -> None:
        ys, xs = np.nonzero(ink)
        stride = max(1, len(ys) // POINTS)
        self._ys = ys[::stride].astype(np.float32)
        self._xs = xs[::stride].astype(np.float32) - ink.shape[1] / 2
        self._height = ink.shape[0]

    def jumps(self, angle: float) -> float:
        """Sum of squared differences between neighbouring rows' sums, lines that run downhill by `angle` levelled."""
        rows = (self._ys - self._xs * np.float32(np.tan(np.radians(angle))) + 0.5).astype(np.int32)
        sums = np.bincount(rows.clip(0, self._height - 1), minlength=self._height).astype(float)
        return float(np.square(np.diff(sums)).sum())

    def best(self, around: float, reach: float, step: float) -> tuple[float, float]:
        """The angle within `reach` degrees of `around` at which they jump most, and by how much."""
        count = round(reach / step)
        angles = [around + number * step for number in range(-count, count + 1)]
        jumps = [self.jumps(angle) for angle in angles]
        most = int(np.argmax(jumps))
        return angles[most], jumps[most]


def _skew(lines: _Lines) -> float:
    coarse, _ = lines.best(0.0, MAX_SKEW, COARSE)
    angle, jumps = lines.best(coarse, COARSE, FINE)
    return angle if abs(angle) >= LEVEL and jumps > WORTH * lines.jumps(0.0) else 0.0


def _ink_box(ink: np.ndarray, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the ink in the upright picture's pixels, with a rim. Single specks do not count."""
    solid = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    ys, xs = np.nonzero(solid)
    if not len(ys):
        return 0, 0, width, height
    rim = RIM * max(width, height)
    return (
        int(max(0, xs.min() / scale - rim)),
        int(max(0, ys.min() / scale - rim)),
        int(min(width, (xs.max() + 1) / scale + rim)),
        int(min(height, (ys.max() + 1) / scale + rim)),
    )


def _turned(turns: int, width: int, height: int) -> np.ndarray:
    """Maps a pixel of the picture turned clockwise by quarter turns to the original, `width` × `height`."""
    if turns == 0:
        return np.array([[1, 0, 0], [0, 1, 0]], float)
    return np.array([[0, 1, 0], [-1, 0, height - 1]], float)


def _chained(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """One affine map after another."""
    return then @ np.vstack((first, [0, 0, 1]))
