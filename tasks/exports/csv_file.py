"""CSV by RFC 4180: CRLF, quotes where needed, UTF-8; moments in ISO 8601 UTC; formulas made harmless."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from tasks.exports.columns import Column, Kind
from tasks.exports.csv_injection import SUSPECT, for_csv
from tasks.exports.source import Chunk

BUFFER_BYTES = 1 << 18

GZIP_LEVEL = 6
"""zlib's own default: higher ones take twice the time for some 2 % of the size."""

FIRST = itemgetter(0)

Convert = Callable[[Sequence[Any]], Sequence[Any]]


def write_csv(path: Path, columns: Sequence[Column], chunks: Iterator[Chunk], *, bom: bool, gzipped: bool) -> None:
    """Write a header and the rows to `path`. NULL and empty text are both an empty field: CSV has no other."""
    converts = [CONVERTS[column.kind] for column in columns]
    with _opened(path, gzipped) as file:
        if bom:
            file.write("\ufeff")
        writer = csv.writer(file)
        writer.writerow([column.name for column in columns])
        for chunk in chunks:
            # A column at a time: one call a column and chunk, where a call a cell would cost more than the writing.
            converted = [convert(values) for convert, values in zip(converts, zip(*chunk, strict=True), strict=True)]
            writer.writerows(zip(*converted, strict=True))


@contextmanager
def _opened(path: Path, gzipped: bool) -> Iterator[io.TextIOWrapper]:
    with path.open("wb", buffering=BUFFER_BYTES) as plain:
        # Neither name nor time inside: the same rows are the same bytes.
        packed = gzip.GzipFile("", "wb", GZIP_LEVEL, plain, mtime=0) if gzipped else None
        target: Any = packed or plain
        with io.TextIOWrapper(io.BufferedWriter(target, BUFFER_BYTES), "utf-8", newline="") as file:
            yield file
        if packed:
            packed.close()


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    # Most columns hold only printable text that begins with a letter or a digit: two looks at the whole column show it.
    if SUSPECT.isdisjoint(map(FIRST, filter(None, values))) and "".join(filter(None, values)).isprintable():
        return values
    return [v if not v or (v.isprintable() and v[0] not in SUSPECT) else for_csv(v) for v in values]


def _moments(values: Sequence[Any]) -> Sequence[Any]:
    return [None if v is None else iso(v) for v in values]


def iso(moment: str | datetime) -> str:
    """2026-01-31T08:00:00.000000Z, from a UTC moment as SQLite (text) or PostgreSQL keeps it."""
    if isinstance(moment, str):
        return f"{moment[:10]}T{moment[11:]}Z"
    return moment.isoformat("T", "microseconds")[:26] + "Z"


def _flags(values: Sequence[Any]) -> Sequence[Any]:
    return [None if v is None else "true" if v else "false" for v in values]


def _as_they_are(values: Sequence[Any]) -> Sequence[Any]:
    return values


CONVERTS: dict[Kind, Convert] = {
    Kind.TEXT: _texts,
    Kind.MOMENT: _moments,
    Kind.FLAG: _flags,
    Kind.INTEGER: _as_they_are,
    Kind.NUMBER: _as_they_are,
}
