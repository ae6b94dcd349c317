"""Drawing of a workflow: a box for each job, in columns by the longest way that leads to it, and a line to each after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

WIDTH, HEIGHT = 176, 52
"""Size of a box in pixels: room for a name of some 20 letters above its state."""

GAP_X, GAP_Y = 56, 16
"""Pixels between columns, where the lines run, and between boxes."""


@dataclass(frozen=True)
class Box:
    """A job's place: the left upper corner of its box, in pixels."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """Boxes by name, the paths of the lines (SVG), and the size of the whole in pixels."""

    boxes: Sequence[Box]
    lines: Sequence[str]
    width: int
    height: int


def columns_of(after: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Names by column: each stands in the first column after all those before it. `after` has no circle."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(after).static_order():
        depth[name] = max((depth[before] + 1 for before in after[name]), default=0)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in after:
        columns[depth[name]].append(name)
    return columns


def drawing(after: Mapping[str, Sequence[str]]) -> Drawing:
    """The boxes and lines of a workflow, given the names before each job."""
    columns = columns_of(after)
    tallest = max((len(column) for column in columns), default=0)
    boxes = {
        name: Box(name, x * (WIDTH + GAP_X), y * (HEIGHT + GAP_Y) + (tallest - len(column)) * (HEIGHT + GAP_Y) // 2)
        for x, column in enumerate(columns)
        for y, name in enumerate(column)
    }
    lines = [_line(boxes[before], boxes[name]) for name, names in after.items() for before in names]
    width = max(0, len(columns) * (WIDTH + GAP_X) - GAP_X)
    return Drawing(list(boxes.values()), lines, width, max(0, tallest * (HEIGHT + GAP_Y) - GAP_Y))


def _line(start: Box, end: Box) -> str:
    """A curve from the right of one box to the left of another."""
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
