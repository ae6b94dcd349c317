"""From boxes of words to pieces of lines, which the recogniser reads at one go."""

from dataclasses import dataclass

import numpy as np

LEVEL = 0.1
"""A box whose sides slope less than this is level (EasyOCR's slope_ths); others are cut out along their slope."""

CENTRE = 0.5
HEIGHT = 0.5
GAP = 0.5
"""Neighbours join when, in heights of the line so far, their centres and heights differ and their gap measures less
(EasyOCR's ycenter_ths, height_ths, width_ths)."""

MARGIN = 0.1
"""Space left round a piece, in its height (EasyOCR's add_margin)."""

MIN_SIDE = 20
"""Pixels; pieces smaller than this both ways are dust (EasyOCR's min_size)."""


def pieces(boxes: np.ndarray) -> np.ndarray:
    """Corners of each piece, (n, 4, 2) float32; `boxes` are the words' corners in pixels of the page."""
    if not len(boxes):
        return boxes
    up = (boxes[:, 1] - boxes[:, 0])[:, ::-1]
    down = (boxes[:, 2] - boxes[:, 3])[:, ::-1]
    slopes = np.stack([abs(side[:, 0]) / np.maximum(10, side[:, 1]) for side in (up, down)]).max(axis=0)
    level = slopes < LEVEL
    edges = np.concatenate((boxes.min(axis=1), boxes.max(axis=1)), axis=1)
    joined = _join(edges[level])
    margin = (MARGIN * np.minimum(joined[:, 2] - joined[:, 0], joined[:, 3] - joined[:, 1]))[:, None]
    joined += np.concatenate((-margin, -margin, margin, margin), axis=1)
    corners = joined[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    both = np.concatenate((corners, _widened(boxes[~level]))).astype(np.float32)
    sides = both.max(axis=1) - both.min(axis=1)
    return both[sides.max(axis=1) > MIN_SIDE]


@dataclass(slots=True)
class _Line:
    """A line piece as far as it has been joined; `height` and `centre` are those of its boxes' mean."""

    left: float
    top: float
    right: float
    bottom: float
    height: float
    centre: float
    boxes: int = 1

    def add(self, left: float, top: float, right: float, bottom: float) -> None:
        share = 1 / (self.boxes + 1)
        self.height += share * (bottom - top - self.height)
        self.centre += share * ((top + bottom) / 2 - self.centre)
        self.top, self.right, self.bottom = min(self.top, top), max(self.right, right), max(self.bottom, bottom)
        self.boxes += 1


def _join(edges: np.ndarray) -> np.ndarray:
    """Level boxes (left, top, right, bottom), joined from left to right along their lines."""
    lines: list[_Line] = []
    for left, top, right, bottom in edges[np.argsort(edges[:, 0], kind="stable")].tolist():
        height, centre = bottom - top, (top + bottom) / 2
        best: _Line | None = None
        for line in lines:
            if abs(line.centre - centre) >= CENTRE * line.height or left - line.right >= GAP * height:
                continue
            if abs(line.height - height) < HEIGHT * line.height and (best is None or line.right > best.right):
                best = line
        if best is None:
            lines.append(_Line(left, top, right, bottom, height, centre))
        else:
            best.add(left, top, right, bottom)
    return np.array([(line.left, line.top, line.right, line.bottom) for line in lines], np.float32).reshape(-1, 4)


def _widened(corners: np.ndarray) -> np.ndarray:
    """Slanted boxes with a margin, grown from their centres."""
    if not len(corners):
        return corners
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    width, height = sides[:, 0], sides[:, 1]
    margin = MARGIN * np.minimum(width, height)
    along = (corners[:, 1] - corners[:, 0]) / np.maximum(width, 1)[:, None] * margin[:, None]
    down = (corners[:, 3] - corners[:, 0]) / np.maximum(height, 1)[:, None] * margin[:, None]
    return corners + np.stack((-along - down, along - down, along + down, down - along), axis=1)
