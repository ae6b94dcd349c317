"""The skew of a page's lines to a twentieth of a degree, near an angle that their boxes suggest.

Lines of text make the sums of dark pixels along rows jump from row to row; they jump most when the picture is turned so
that the lines are level (Postl, "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986).
"""

import numpy as np

REACH, COARSE, FINE = 1.2, 0.3, 0.05
"""Degrees searched either way, and the steps. Boxes tell to a degree: small ones are drawn level."""

POINTS = 20_000
"""Dark pixels looked at; a page of text has three times as many, and a third of them tells the same."""

WORTH = 1.02
"""A turn must make the sums jump this much more than none, so that a page without lines of text stays as it is."""


def refined(ink: np.ndarray, around: float) -> float:
    """The angle near `around`, in degrees, by which the lines of dark pixels (0 or 1) run downhill."""
    ys, xs = np.nonzero(ink)
    if not len(ys):
        return around
    stride = max(1, len(ys) // POINTS)
    ys, xs = ys[::stride].astype(np.float32), xs[::stride].astype(np.float32) - ink.shape[1] / 2
    coarse, _ = _best(ys, xs, ink.shape[0], around, REACH, COARSE)
    angle, jumps = _best(ys, xs, ink.shape[0], coarse, COARSE, FINE)
    return angle if jumps > WORTH * _jumps(ys, xs, ink.shape[0], around) else around


def _best(ys: np.ndarray, xs: np.ndarray, height: int, around: float, reach: float, step: float) -> tuple[float, float]:
    """The angle within `reach` degrees of `around` at which the sums jump most, and by how much."""
    count = round(reach / step)
    angles = [around + number * step for number in range(-count, count + 1)]
    jumps = [_jumps(ys, xs, height, angle) for angle in angles]
    most = int(np.argmax(jumps))
    return angles[most], jumps[most]


def _jumps(ys: np.ndarray, xs: np.ndarray, height: int, angle: float) -> float:
    """Sum of squared differences between neighbouring rows' sums, lines that run downhill by `angle` levelled."""
    # Rows beyond the picture count too: heaped on its first and last one, they would look like a line of text.
    rows = (ys - xs * np.float32(np.tan(np.radians(angle))) + height).astype(np.int32)
    sums = np.bincount(rows.clip(0, 3 * height), minlength=3 * height).astype(float)
    return float(np.square(np.diff(sums)).sum())
