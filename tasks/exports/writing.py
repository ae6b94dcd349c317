"""Work of the child process: read a snapshot, write the file, report progress."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.exports.columns import Column
from tasks.exports.csv_file import write_csv
from tasks.exports.progress_file import Tally
from tasks.exports.reading import read
from tasks.exports.source import Chunk, Query, Source


@dataclass(frozen=True)
class Order:
    """Everything the child needs to know."""

    source: Source
    query: Query
    title: str
    columns: tuple[Column, ...]
    target: Path
    tally: Path
    format: str
    bom: bool = False
    gzip: bool = False


@dataclass(frozen=True)
class Written:
    """Result of the writing."""

    rows: int
    sheets: int


def write_export(order: Order) -> Written:
    """Write the file of `order`. Memory does not depend on the number of rows."""
    with read(order.source, order.query) as (total, chunks):
        tally = Tally(order.tally, total)
        try:
            counted = _counted(chunks, tally)
            if order.format == "csv":
                write_csv(order.target, order.columns, counted, bom=order.bom, gzipped=order.gzip)
                return Written(total, 0)
            # Only a child that writes XLSX pays for the writer's memory.
            from tasks.exports.xlsx_file import write_xlsx

            return Written(total, write_xlsx(order.target, order.title, order.columns, total, counted))
        finally:
            tally.close()


def _counted(chunks: Iterator[Chunk], tally: Tally) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        tally.add(len(chunk))
