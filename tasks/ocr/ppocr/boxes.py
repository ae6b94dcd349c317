"""From the detector's map to boxes of lines.

DBNet (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020) gives how likely each
point lies in the core of a line. A connected area is a line, and its box is the area's, widened in proportion.
"""

import cv2
import numpy as np

POINT = 0.3
"""A point belongs to a line above this."""

CERTAIN = 0.5
"""A box is kept if its points reach this on average."""

WIDEN = 1.6
"""The network marks lines shrunk: each side moves out by this share of area over circumference."""

SMALLEST = 3.0
"""Points; boxes less high than this are specks."""

MOST = 3_000
"""Boxes of one page, largest first: bounds the time that a page of dots takes."""


def boxes(likely: np.ndarray) -> np.ndarray:
    """Centre x, centre y, width, height and angle of each line, (n, 5) float32 in the map's pixels.

    The angle is in degrees, clockwise on the page, from -45 to 45; a line that runs up or down is higher than wide.
    """
    mask = cv2.dilate((likely > POINT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > MOST:
        contours = sorted(contours, key=cv2.contourArea, reverse=True)[:MOST]
    found = []
    for contour in contours:
        corners = cv2.boxPoints(cv2.minAreaRect(contour))
        x, y, width, height, angle = _rectangle(corners)
        if min(width, height) < SMALLEST or _mean_inside(likely, corners) < CERTAIN:
            continue
        margin = width * height * WIDEN / (2 * (width + height))
        found.append((x, y, width + 2 * margin, height + 2 * margin, angle))
    return np.array(found, np.float32).reshape(-1, 5)


def corners_of(box: np.ndarray) -> np.ndarray:
    """The four corners, clockwise from the top left, (4, 2)."""
    x, y, width, height, angle = box.tolist()
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * width / 2
    down = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))]) * height / 2
    return np.array([x, y]) + np.stack((-along - down, along - down, along + down, down - along))


def _rectangle(corners: np.ndarray) -> tuple[float, float, float, float, float]:
    """Centre, sides and angle of four corners in turn; the first side is the one nearer to level."""
    (x, y), edges = corners.mean(axis=0).tolist(), np.roll(corners, -1, axis=0) - corners
    first, second = edges[0], edges[1]
    if abs(first[0]) < abs(first[1]):
        first, second = second, first
    if first[0] < 0:
        first = -first
    angle = float(np.degrees(np.arctan2(first[1], first[0])))
    return x, y, float(np.hypot(*first)), float(np.hypot(*second)), angle


def _mean_inside(likely: np.ndarray, corners: np.ndarray) -> float:
    height, width = likely.shape
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (left, top)).astype(np.int32), 1)
    return cv2.mean(likely[top : bottom + 1, left : right + 1], inside)[0]
