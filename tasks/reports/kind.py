"""`Kind`: one report: the datasets whose rows it reads, what it counts of them, and the document that comes of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tasks.reports.counting import Newest
from tasks.reports.pages import Block, Columns, Figure, Series, Table, Tone
from tasks.reports.period import Period
from tasks.reports.words import as_moment, number

Tones = Sequence[tuple[str, str, Tone]]
"""Series of a chart: (name, label, tone) of each."""


@dataclass(frozen=True)
class Subject:
    """Facts of a report besides its rows. `owner` is None for every owner; `units` names a job type's unit of work."""

    period: Period
    owner: str | None
    units: Mapping[str, str]


class Kind(ABC):
    """Counts rows as they are read, and makes a document of the counts."""

    title: ClassVar[str]
    reads: ClassVar[Mapping[str, str]]
    """Datasets, each with the column of moments that the range is about."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.period = subject.period
        self.newest = Newest()
        self._over_time: dict[str, list[float]] = {}

    def count(self, dataset: str, row: Mapping[str, Any]) -> None:
        """Count one row."""
        at = as_moment(row[self.reads[dataset]])
        if at is not None:
            self.add(dataset, at, row)

    @abstractmethod
    def add(self, dataset: str, at: datetime, row: Mapping[str, Any]) -> None:
        """Count one row of a dataset, whose moment is `at`."""

    @abstractmethod
    def figures(self) -> list[Figure]:
        """Key figures, the most important first."""

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Charts and tables, in order. Not called where no row was read."""

    @abstractmethod
    def summary(self) -> str:
        """The result in one or two sentences."""

    def at_step(self, name: str, at: datetime, amount: float = 1) -> None:
        """Add to a series of the chart over time."""
        values = self._over_time.setdefault(name, [0.0] * len(self.period.columns))
        step = self.period.column_of(at)
        if 0 <= step < len(values):
            values[step] += amount

    def over_time(self, title: str, tones: Tones, unit: str) -> Columns:
        """The chart over time of some series, each (its name, its label, its tone)."""
        labels = [self.period.column_label(step) for step in range(len(self.period.columns))]
        nothing = [0.0] * len(labels)
        series = [Series(label, tone, self._over_time.get(name, nothing)) for name, label, tone in tones]
        sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
        most = max(range(len(sums)), key=lambda step: sums[step])
        words = f"{title}: {number(sum(sums))} {unit} in all, at most {number(sums[most])} ({labels[most]})."
        return Columns(title, labels, series, words)

    def listing(self, title: str, table: Table, dataset: str) -> Table:
        """A table of the newest rows, which says where it does not have all of them."""
        left = self.newest.seen - len(table.rows)
        shown, seen = number(len(table.rows)), number(self.newest.seen)
        text = f"The newest {shown} of {seen} rows; an export of the dataset {dataset} has them all."
        return Table(
            title, table.columns, table.rows, text if left else f"All {number(self.newest.seen)}, newest first."
        )
