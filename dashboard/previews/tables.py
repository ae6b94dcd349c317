"""The first rows of an export, read from the file's beginning and never from the whole of it."""

import asyncio
import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from dashboard.jobs.masking import MASK
from service.access.personal import personal_columns
from service.engine.job_files import path_of
from service.engine.store import Job
from service.lib.storage.object_storage import NoSuchObject
from service.services import Services

ROWS = 20
COLUMNS = 40
CELL_CHARACTERS = 200

READ_BYTES = 262_144
"""Of a CSV: room for twenty rows of 13 kB. Rows that are longer are shown as far as they were read."""

SHEET_BYTES = 4 << 20
"""Of a sheet, unpacked: what is behind its first rows is never looked at."""


@dataclass(frozen=True)
class FirstRows:
    """The header and up to ROWS rows, cut to COLUMNS columns; `rows` counts the file's rows where the job has."""

    name: str
    header: Sequence[str]
    shown: Sequence[Sequence[str]]
    rows: int | None
    columns: int
    template: str = "previews/table.html"


async def table_preview(services: Services, job: Job, *, masked: bool) -> FirstRows | None:
    """The beginning of the first table among a job's files; None where it has none. `masked` hides personal columns."""
    found = next(
        ((path_of(job, one), read) for one in job.artefacts if (read := READERS.get(_kind(one["name"])))), None
    )
    if found is None:
        return None
    path, read = found
    try:
        with await services.storage.open(path) as file:
            rows = await asyncio.to_thread(read, file)
    except (NoSuchObject, ValueError, KeyError, csv.Error, zlib.error, zipfile.BadZipFile):
        return None
    if not rows:
        return None
    personal = personal_columns(job) if masked else frozenset()
    header, body = rows[0][:COLUMNS], [row[:COLUMNS] for row in rows[1 : ROWS + 1]]
    hidden = {index for index, column in enumerate(header) if column in personal}
    counted = job.result.get("rows") if isinstance(job.result, dict) else None
    return FirstRows(
        name=path.rpartition("/")[2],
        header=header,
        shown=[[MASK if index in hidden and cell else cell for index, cell in enumerate(row)] for row in body],
        rows=counted if isinstance(counted, int) else None,
        columns=len(rows[0]),
    )


def csv_rows(file: BinaryIO) -> list[list[str]]:
    """Rows of a CSV file. A row that the bound cuts in two is left out, unless it is all there is."""
    return _parsed(file.read(READ_BYTES))


def gzip_rows(file: BinaryIO) -> list[list[str]]:
    """The same of a packed one: what unpacks to more than the bound is not unpacked."""
    return _parsed(zlib.decompressobj(wbits=31).decompress(file.read(READ_BYTES), READ_BYTES))


def _parsed(data: bytes) -> list[list[str]]:
    text = io.StringIO(data.decode("utf-8-sig", "ignore"), newline="")
    rows = [_cells(row) for row in islice(csv.reader(text), ROWS + 1)]
    return rows[:-1] if 1 < len(rows) <= ROWS and len(data) == READ_BYTES else rows


def xlsx_rows(file: BinaryIO) -> list[list[str]]:
    """Rows of the first sheet: the sheet is read as a stream, and only as far as they go."""
    # Importing it takes a third of a second, which a viewer who opens no sheet should not wait for.
    from openpyxl import load_workbook

    with zipfile.ZipFile(file) as packed:
        if (
            "xl/sharedStrings.xml" in packed.namelist()
            and packed.getinfo("xl/sharedStrings.xml").file_size > SHEET_BYTES
        ):
            # Such a table of strings is read whole before the first row. Our own files have none.
            raise ValueError("the sheet's texts stand apart, and are too many to read")
    book = load_workbook(file, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        return [_cells(row) for row in sheet.iter_rows(max_row=ROWS + 1, values_only=True)]
    finally:
        book.close()


def _cells(row: Iterable[Any]) -> list[str]:
    return [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL_CHARACTERS else f"{text[: CELL_CHARACTERS - 1]}…"


def _kind(name: str) -> str:
    return "csv.gz" if name.endswith(".csv.gz") else name.rpartition(".")[2]


READERS = {"csv": csv_rows, "csv.gz": gzip_rows, "xlsx": xlsx_rows}
"""By the end of a file's name."""
