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
class ExportRequest:
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


def write_export(request: ExportRequest) -> Written:
    """Write the file of `request`. Memory does not depend on the number of rows."""
    with read(request.source, request.query) as (total, chunks):
        tally = Tally(request.tally, total)
        try:
            counted = _counted(chunks, tally)
            if request.format == "csv":
                write_csv(request.target, request.columns, counted, bom=request.bom, gzipped=request.gzip)
                return Written(total, 0)
            # Only a child that writes XLSX pays for the writer's memory.
            from tasks.exports.xlsx_file import write_xlsx

            return Written(total, write_xlsx(request.target, request.title, request.columns, total, counted))
        finally:
            tally.close()


def _counted(chunks: Iterator[Chunk], tally: Tally) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        tally.add(len(chunk))
