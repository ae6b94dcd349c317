"""Content of a report before it is set: figures, charts and tables, which report.typ knows how to draw."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Tone = Literal["accent", "good", "bad", "warn", "calm"]


class Figure(msgspec.Struct, frozen=True):
    """A key figure of the title page."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "accent"


class Series(msgspec.Struct, frozen=True):
    """One colour of a chart of columns: a value for each label."""

    name: str
    tone: Tone
    values: Sequence[float]


class Columns(msgspec.Struct, frozen=True, tag="columns"):
    """Stacked columns over time. `words` says in a sentence what the picture shows, for readers who do not see it."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    words: str


class Bars(msgspec.Struct, frozen=True, tag="bars"):
    """Bars next to their names, the longest first."""

    title: str
    names: Sequence[str]
    values: Sequence[float]
    shown: Sequence[str]
    words: str
    tone: Tone = "accent"


class Column(msgspec.Struct, frozen=True):
    """A column of a table: `width` is its share of the line, 0 as much as it needs."""

    head: str
    width: float = 0
    right: bool = False


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Rows of cells under heads that come again on every page."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    text: str = ""


class Remark(msgspec.Struct, frozen=True, tag="remark"):
    """A paragraph."""

    text: str


Block = Columns | Bars | Table | Remark


class Document(msgspec.Struct, frozen=True):
    """A whole report. `rows` is how many it counted."""

    title: str
    subtitle: str
    period: str
    zone: str
    whose: str
    made: str
    summary: str
    figures: Sequence[Figure]
    blocks: Sequence[Block]
    rows: int
