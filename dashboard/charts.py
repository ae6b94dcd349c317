"""Server-rendered charts: figures turned into the attributes that templates draw. No chart library, no inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 4.0
"""Per cent of the height that a count of one gets beside a tall one: what is not zero is never invisible."""


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
