"""Surroundings of the print: a scanner's black edge, dark paper, faint ink. A page is freed of them before it is read."""

from dataclasses import dataclass

import cv2
import numpy as np

SAMPLE_SIDE = 1000
"""Longest side, in pixels, of the picture that is examined: a line of 8 pt is still 8 rows high."""

DARK_PAPER = 0.6
"""A page of which so much is dark is read as its negative: print covers at most a fifth of a page."""

DARK = 0.55
"""A scanner's edge is darker than this share of the paper's grey."""

THICK = 7
"""Pixels, of SAMPLE_SIDE; rules and letters are thinner than an edge."""

ALONG = 0.2
"""An edge runs along so much of its side of the page at least: a picture that bleeds off the page often does too, and is
taken for one; no words are lost, for words in it are not dark all over."""

MOST_EDGE = 0.45
"""A dark area that covers more of the page than this is the page."""

CONTRAST = 100
"""Grey levels between paper and ink under which a page is stretched to full contrast."""

BLACK_PAPER = 64
"""Grey level under which an empty page is not paper: a lid left open, an exposure that failed."""

INK_SHARE = 0.001
"""The ink's grey is that of the darkest thousandth of the page."""

STANDS_OUT = 32
"""Grey levels by which a block of 4 × 4 pixels must differ from the paper for a page not to be blank: a full stop at
300 dpi differs by 150, a scanner's noise, averaged, by 10."""

BLOCK = 4

FAINT = 5
"""Grey levels by which faint print differs from its paper at least, and …"""

BEYOND_NOISE = 6
"""… so many times the paper's own noise (standard deviation of its blocks)."""


@dataclass(frozen=True)
class Page:
    """A grey page, dark on light. `blank` if nothing at all stands out, `faint` if only faint print or noise does,
    `dark` if the paper itself is black."""

    picture: np.ndarray
    blank: bool = False
    faint: bool = False
    dark: bool = False


def cleaned(picture: np.ndarray) -> Page:
    """The page (grey, uint8) without dark edges, dark on light, in full contrast."""
    small = _reduced(picture)
    if _is_negative(small):
        picture, small = cv2.bitwise_not(picture), cv2.bitwise_not(small)
    picture, small = _without_edges(picture, small)
    spread, noise = _spread(picture)
    if spread < max(FAINT, min(STANDS_OUT, BEYOND_NOISE * noise)):
        return Page(picture, blank=True, dark=bool(np.median(small) < BLACK_PAPER))
    return Page(_stretched(picture, small), faint=spread < STANDS_OUT)


def _reduced(picture: np.ndarray) -> np.ndarray:
    scale = min(1.0, SAMPLE_SIDE / max(picture.shape))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _is_negative(small: np.ndarray) -> bool:
    middle = (int(small.min()) + int(small.max())) / 2
    return float((small < min(middle, 128)).mean()) > DARK_PAPER and int(small.max()) - int(small.min()) > STANDS_OUT


def _without_edges(picture: np.ndarray, small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures with dark areas along the page's sides filled with paper."""
    if min(small.shape) <= 2 * THICK:
        return picture, small
    paper = int(np.percentile(small, 75))
    dark = (small < DARK * paper).astype(np.uint8)
    # A frame of dark pixels lets an edge of which the page's last columns are white again reach the side.
    kernel = np.ones((THICK, THICK), np.uint8)
    thick = cv2.erode(dark, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    height, width = small.shape
    edge = np.zeros_like(dark)
    for label in range(1, count):
        left, top, wide, high, area = stats[label].tolist()
        right, bottom = left + wide, top + high
        upright = (left <= 1 or right >= width - 1) and high >= ALONG * height
        level = (top <= 1 or bottom >= height - 1) and wide >= ALONG * width
        if (upright or level) and area < MOST_EDGE * height * width:
            edge[labels == label] = 1
    if not edge.any():
        return picture, small
    wider = cv2.dilate(edge, np.ones((2 * THICK - 1, 2 * THICK - 1), np.uint8))
    whole = cv2.resize(wider, picture.shape[::-1], interpolation=cv2.INTER_NEAREST)
    picture, small = picture.copy(), small.copy()
    picture[whole > 0] = paper
    small[wider > 0] = paper
    return picture, small


def _spread(picture: np.ndarray) -> tuple[float, float]:
    """By how much the most different block differs from the paper, and the noise of the paper's blocks."""
    height, width = (side // BLOCK * BLOCK for side in picture.shape)
    if not height or not width:
        return (255.0 if picture.size and int(picture.max()) - int(picture.min()) > STANDS_OUT else 0.0), 0.0
    # Of a whole number of pixels this is their mean, and several times as fast as numpy's.
    means = cv2.resize(picture[:height, :width], (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA)
    paper = float(np.median(means))
    apart = np.abs(means.astype(np.float32) - paper)
    # Their mean, for half of the blocks of quiet paper differ by nothing at all once rounded.
    return float(apart.max()), float(apart[apart < STANDS_OUT].mean()) * 1.2533


def _stretched(picture: np.ndarray, small: np.ndarray) -> np.ndarray:
    """The picture from black to white, if its ink is faint."""
    paper = int(np.median(small))
    ink = int(np.percentile(small, 100 * INK_SHARE))
    if paper - ink >= CONTRAST or paper - ink < 1:
        return picture
    levels = (np.arange(256, dtype=np.float32) - ink) * (255 / (paper - ink))
    return cv2.LUT(picture, levels.clip(0, 255).astype(np.uint8))
