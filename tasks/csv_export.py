"""csv-export: rows of a dataset, filtered, in one CSV or XLSX file."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from settings.queues import Queue
from tasks.exports.progress_file import read_tally
from tasks.exports.selection import Selection, select
from tasks.exports.writing import ExportRequest, Written, write_export
from tasks.ports.exports import Exports
from tasks.sdk import MemoryCeiling, Meter, Payload, Permanent, Refused, Run, job

KEEP_DAYS = 7
"""Days for which the file can be downloaded: long enough to come back after a week's end."""

POLL_S = 0.2
"""Seconds between two looks at the child's progress: faster than the bar is drawn."""

ROWS = Meter("Generating report... {done} of {total} records", "records_done", "total_records", high=97)

MEDIA_TYPES = {
    "export.csv": "text/csv; charset=utf-8",
    "export.csv.gz": "application/gzip",
    "export.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Export(Payload, frozen=True):
    """`dataset` and, for its filters, `query_params`; `columns` chooses and orders columns (default: all).

    For CSV, `bom` begins the file with a byte order mark, by which Excel knows UTF-8, and `gzip` packs it.
    """

    dataset: Annotated[str, msgspec.Meta(max_length=100)]
    query_params: dict[str, Any] = msgspec.field(default_factory=dict)
    format: Literal["csv", "xlsx"] = "csv"
    columns: Annotated[list[str], msgspec.Meta(max_length=100)] | None = None
    bom: bool = False
    gzip: bool = False


class Exported(msgspec.Struct):
    """Result of an export. `sheets` is 0 for CSV; the file may be swept after `expires_at` (RFC 3339)."""

    dataset: str
    file: str
    rows: int
    sheets: int
    bytes: int
    expires_at: str


def chosen(payload: Export, owner: str) -> Selection:
    """The payload's selection, on behalf of `owner`. Raises Refused."""
    for option in ("bom", "gzip"):
        if payload.format != "csv" and getattr(payload, option):
            raise Refused(f"{option} goes with the format csv, not with {payload.format}.", field=option)
    return select(payload.dataset, payload.query_params, payload.columns, owner)


async def accepts(payload: Export, checks: Any) -> int:
    """Refuse what cannot be exported; answer about how many rows it will be."""
    return int(await checks.use(Exports).count(chosen(payload, checks.owner)))


@job(
    queue=Queue.CSV_EXPORT,
    name="csv-export",
    expected_s=1.0,
    expected_unit_s=0.00002,
    unit="row",
    search_keys=("dataset",),
    accepts=accepts,
)
async def csv_export(payload: Export, run: Run) -> Exported:
    """Export the rows of a dataset to `export.csv` or `export.xlsx`: one consistent snapshot, in bounded memory."""
    try:
        selection = chosen(payload, run.owner)
    except Refused as refused:
        raise Permanent(str(refused)) from None
    name = f"export.{payload.format}{'.gz' if payload.gzip else ''}"
    source, query = await run.use(Exports).prepare(selection, run.scratch, lambda rows: _collecting(run, rows))
    request = ExportRequest(
        source=source,
        query=query,
        title=selection.dataset.title,
        columns=selection.columns,
        target=run.scratch / name,
        tally=run.scratch / "tally",
        format=payload.format,
        bom=payload.bom,
        gzip=payload.gzip,
    )
    written = await _written(run, request)
    size = request.target.stat().st_size
    await run.artefact(name, request.target, MEDIA_TYPES[name])
    expires = datetime.now(UTC) + timedelta(days=KEEP_DAYS)
    return Exported(payload.dataset, name, written.rows, written.sheets, size, f"{expires:%Y-%m-%dT%H:%M:%SZ}")


async def _written(run: Run, request: ExportRequest) -> Written:
    try:
        async with run.beside(_follow(run, request.tally)):
            written = await run.cpu(write_export, request)
    except MemoryCeiling as error:
        # The same rows would need the same memory again.
        raise Permanent(f"The export {error}: ask for fewer columns, or leave out rows with very long text.") from None
    await run.progress(written.rows, written.rows, ROWS)
    return written


async def _follow(run: Run, tally: Path) -> None:
    while True:
        seen = read_tally(tally)
        if seen:
            await run.progress(*seen, ROWS)
        await asyncio.sleep(POLL_S)


async def _collecting(run: Run, rows: int) -> None:
    await run.stage(0, f"Collecting records... {rows:,} so far")
