"""XLSX: real dates, numbers and booleans, text that stays text, a frozen header with filters, and sheets as needed."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import Format, write_worksheets

from tasks.exports.columns import Column, Kind
from tasks.exports.csv_file import iso
from tasks.exports.csv_injection import SURELY_FITS, for_xlsx
from tasks.exports.source import Chunk

SHEET_ROWS = 1_048_576
"""Rows of a sheet, its header among them (Microsoft, "Excel specifications and limits")."""

WIDTHS = {Kind.TEXT: 18.0, Kind.INTEGER: 12.0, Kind.NUMBER: 12.0, Kind.FLAG: 8.0, Kind.MOMENT: 23.0}
"""Characters a column is wide unless it is declared otherwise: 23 is what a moment with milliseconds takes."""

HEADER_PADDING = 4
"""Characters next to a column's name that its filter's button takes."""

MOMENT_FORMAT = "yyyy-mm-dd hh:mm:ss.000"

EPOCH = datetime(1899, 12, 30)
"""Day 0 of Excel's serial numbers for every day from 1 March 1900 on (before, it believes in a 29 February 1900)."""

FIRST_SERIAL = 61.0
"""1 March 1900. What is earlier is written as text."""

DAY = timedelta(days=1)

LAST_SERIAL = (datetime(9999, 12, 31, 23, 59, 59, 999_000) - EPOCH) / DAY
"""The last moment that Excel knows. A later one would be rounded up into the year 10000, which is shown as #####."""

DIGITS_MAX = 10**15
"""Excel keeps 15 significant digits: a longer whole number is written as text, so that none is lost."""

Convert = Callable[[Sequence[Any]], Sequence[Any]]


def write_xlsx(
    path: Path,
    title: str,
    columns: Sequence[Column],
    total: int,
    chunks: Iterator[Chunk],
    *,
    sheet_rows: int = SHEET_ROWS,
) -> int:
    """Write `total` rows to `path` and answer the number of sheets. No row is kept longer than its chunk."""
    per_sheet = sheet_rows - 1
    sheets = max(1, math.ceil(total / per_sheet))
    names = [title if number == 1 else f"{title} {number}" for number in range(1, sheets + 1)]
    rows = _records(columns, chunks)
    widths = {
        column.name: max(column.width or WIDTHS[column.kind], len(column.name) + HEADER_PADDING) for column in columns
    }
    moments = {c.name: Format().set_num_format(MOMENT_FORMAT) for c in columns if c.kind is Kind.MOMENT}
    texts = [column.name for column in columns if column.kind is Kind.TEXT]
    write_worksheets(
        [(name, islice(rows, per_sheet)) for name in names],
        path,
        bold_headers=True,
        freeze_panes={"general": {"row": 1, "col": 0}},
        autofilter=dict.fromkeys(names, True),
        column_widths=dict.fromkeys(names, widths),
        column_formats=dict.fromkeys(names, moments),
        # An id of digits is text on purpose; without this Excel marks each with a green triangle.
        ignore_errors=dict.fromkeys(names, texts),
    )
    return sheets


def _records(columns: Sequence[Column], chunks: Iterator[Chunk]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in columns]
    converts = [CONVERTS[column.kind] for column in columns]
    first = next(chunks, None)
    if first is None:
        # The header is written with the first row, so there must be one: of no cells at all.
        yield dict.fromkeys(names)
        return
    for chunk in chain([first], chunks):
        converted = [convert(values) for convert, values in zip(converts, zip(*chunk, strict=True), strict=True)]
        for row in zip(*converted, strict=True):
            yield dict(zip(names, row))  # noqa: B905  # as many as there are names, and this line runs for each row


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    # Most columns hold only printable text of some words: two looks at the whole column show it.
    if max(map(len, filter(None, values)), default=0) <= SURELY_FITS and "".join(filter(None, values)).isprintable():
        return values
    return [v if v is None or (len(v) <= SURELY_FITS and v.isprintable()) else for_xlsx(v) for v in values]


def _moments(values: Sequence[Any]) -> Sequence[Any]:
    return [None if v is None else _serial(v) for v in values]


def _serial(moment: str | datetime) -> float | str:
    """Days since Excel's epoch: the number that a date is in a sheet."""
    # Without its zone, which is UTC: PostgreSQL's driver leaves it out of the first and the last moment there are.
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment.replace(tzinfo=None)
    days = (at - EPOCH) / DAY
    return min(days, LAST_SERIAL) if days >= FIRST_SERIAL else iso(moment)


def _integers(values: Sequence[Any]) -> Sequence[Any]:
    return [v if v is None or -DIGITS_MAX < v < DIGITS_MAX else str(v) for v in values]


def _numbers(values: Sequence[Any]) -> Sequence[Any]:
    return [v if v is None or math.isfinite(v) else str(v) for v in values]


def _flags(values: Sequence[Any]) -> Sequence[Any]:
    return [None if v is None else bool(v) for v in values]


CONVERTS: dict[Kind, Convert] = {
    Kind.TEXT: _texts,
    Kind.MOMENT: _moments,
    Kind.FLAG: _flags,
    Kind.INTEGER: _integers,
    Kind.NUMBER: _numbers,
}
