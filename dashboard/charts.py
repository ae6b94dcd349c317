"""Server-rendered charts: figures turned into the attributes that templates draw. No chart library, no inline style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 4.0
"""Per cent of the height that a count of one gets next to a tall one: what is not zero is never invisible."""

DECADES = 3
"""Powers of ten that a chart of durations spans: from a blink to a coffee is four, and the least of them matters least."""

TOP = 3.0
"""Per cent of a chart kept free above and below a curve, or half of its stroke would be cut off."""


@dataclass(frozen=True)
class Bar:
    """One column at `x`, in per cent of the chart. Failures stand on top of what succeeded."""

    x: float
    width: float
    good_y: float
    good_height: float
    bad_y: float
    bad_height: float
    good: int
    bad: int


def bars(good: Sequence[int], bad: Sequence[int]) -> list[Bar]:
    """A column for each pair of counts; the tallest fills the chart."""
    tallest = max((g + b for g, b in zip(good, bad, strict=True)), default=0)
    step = 100 / max(1, len(good))
    columns = []
    for index, (g, b) in enumerate(zip(good, bad, strict=True)):
        good_height, bad_height = _height(g, tallest), _height(b, tallest)
        bad_y = max(0.0, 100 - good_height - bad_height)
        columns.append(Bar(index * step, step * 0.72, 100 - good_height, good_height, bad_y, bad_height, g, b))
    return columns


@dataclass(frozen=True)
class Spark:
    """A sparkline of columns one unit wide in a box 100 high: `d` of the paths of quiet, good and bad columns."""

    width: int
    quiet: str
    good: str
    bad: str


def spark(good: Sequence[int], bad: Sequence[int]) -> Spark:
    """One path a colour, where sixty rectangles a queue would be most of the page's weight."""
    paths: dict[str, list[str]] = {"quiet": [], "good": [], "bad": []}
    for index, bar in enumerate(bars(good, bad)):
        kind = "bad" if bar.bad else "good" if bar.good else "quiet"
        paths[kind].append(f"M{index} 100v-{max(LEAST, bar.good_height + bar.bad_height):.0f}h.7V100z")
    return Spark(len(good), *("".join(columns) for columns in paths.values()))


def _height(count: int, tallest: int) -> float:
    return max(LEAST, 100 * count / tallest) if count else 0.0


@dataclass(frozen=True)
class Curve:
    """`d` of a path in a box of 100 by 100; empty where there is nothing to draw."""

    d: str


def curves(lines: Sequence[Sequence[float | None]]) -> list[Curve]:
    """Lines of durations on one logarithmic scale: the longest at the top, a thousandth of it or less at the bottom.

    A gap in the values is a gap in the line; a lone value is a short dash, so that it can be seen.
    """
    longest = max((value for line in lines for value in line if value is not None), default=0.0)
    return [Curve(_path(line, longest)) for line in lines]


def _path(line: Sequence[float | None], longest: float) -> str:
    step = 100 / max(1, len(line))
    drawn, pen = [], "M"
    for index, value in enumerate(line):
        if value is None:
            pen = "M"
            continue
        depth = min(1.0, math.log10(longest / value) / DECADES) if value < longest else 0.0
        drawn.append(f"{pen}{(index + 0.25) * step:.2f} {TOP + depth * (100 - 2 * TOP):.1f}h{step / 2:.2f}")
        pen = "L"
    return "".join(drawn)
