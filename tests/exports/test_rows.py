"""Which rows: filters, owners, one snapshot, and the datasets of the queue, on both databases."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import delete, text

from service.database import Base, Event
from service.database.seed import seed
from service.engine.pool.cpu_pool import CpuPool
from service.engine.states import State
from tasks.csv_export import Export, csv_export
from tasks.exports.columns import Column, Kind
from tasks.exports.datasets import DATASETS
from tasks.exports.filters import Between, Filter, Flag, Match, Search
from tasks.exports.reading import read
from tasks.exports.xlsx_file import write_xlsx
from tests.exports.conftest import Parts
from tests.exports.peak import peak_mb
from tests.exports.writing import order, written


async def rows_of(services: Parts, folder: Path, dataset: str, **requested: Any) -> list[dict[str, str]]:
    path, written_file = await written(services, folder, dataset, **requested)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert written_file.rows == len(rows)
    return rows


async def test_filters_choose_rows(services: Parts, tmp_path: Path) -> None:
    await seed(services.database, users=50, events=0)
    everybody = await rows_of(services, tmp_path / "a", "users")
    assert [row["id"] for row in everybody] == [str(number) for number in range(1, 51)]
    active = await rows_of(services, tmp_path / "b", "users", params={"active": True})
    assert active == [row for row in everybody if row["active"] == "true"] and 0 < len(active) < 50
    few = await rows_of(
        services, tmp_path / "c", "users", params={"id": [3, 5, 99], "plan": ["free", "pro", "enterprise"]}
    )
    assert [row["id"] for row in few] == ["3", "5"]
    found = await rows_of(services, tmp_path / "d", "users", params={"search": "USER4"})
    assert [row["id"] for row in found] == ["4", *map(str, range(40, 50))]
    first = everybody[9]["created_at"]
    late = await rows_of(services, tmp_path / "e", "users", params={"created_at": {"from": first}})
    assert [row["id"] for row in late] == [str(number) for number in range(10, 51)]
    early = await rows_of(services, tmp_path / "f", "users", params={"created_at": {"to": first}})
    assert [row["id"] for row in early] == [str(number) for number in range(1, 10)]


def example(wanted: Filter) -> Any:
    """Some value that the filter takes."""
    match wanted:
        case Flag():
            return True
        case Search():
            return "text"
        case Match(_, kind, choices):
            return choices[0] if choices else 2**40 if kind is Kind.INTEGER else ["one", "two"]
        case Between(_, kind):
            return (
                {"from": "2026-01-01", "to": "2026-12-31"} if kind is Kind.MOMENT else {"from": -(2**40), "to": 2**40}
            )


@pytest.mark.parametrize("dataset", list(DATASETS))
async def test_every_column_and_filter_is_one_that_the_database_knows(
    services: Parts, tmp_path: Path, dataset: str
) -> None:
    params = {name: example(wanted) for name, wanted in DATASETS[dataset].filters.items()}
    for owner in ("acme", "dashboard:admin"):
        assert await rows_of(services, tmp_path / owner[:4], dataset, params=params, owner=owner) == []


async def test_rows_written_meanwhile_are_not_in_the_export(services: Parts, tmp_path: Path) -> None:
    await seed(services.database, users=0, events=5_000)
    wanted = await order(services, tmp_path, "events", owner="dashboard:admin", columns=["event_id"])

    def begin() -> tuple[int, list[str], Any]:
        reading = read(wanted.source, wanted.query)
        total, chunks = reading.__enter__()
        return total, [row[0] for row in next(chunks)], (reading, chunks)

    def finish(reading: Any, chunks: Any) -> list[str]:
        rest = [row[0] for chunk in chunks for row in chunk]
        reading.__exit__(None, None, None)
        return rest

    total, first, under_way = await asyncio.to_thread(begin)
    async with services.database.writing() as session:
        await session.execute(delete(Event).where(Event.event_id > "event-seed-000002000"))
    await seed(services.database, users=0, events=2_100)
    rest = await asyncio.to_thread(finish, *under_way)
    assert total == 5_000 and len(first) == 1_000
    assert first + rest == [f"event-seed-{number:09}" for number in range(1, 5_001)]


MANY = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    "INSERT INTO events SELECT 'event-' || i, '2026-01-01 00:00:00.000000', 'acme', 'a', 'b', 'c', 'd', 'e', 'done', "
    "NULL, i / 7.0, 'some detail of number ' || i FROM n",
    "postgresql": "INSERT INTO events SELECT 'event-' || i, '2026-01-01Z', 'acme', 'a', 'b', 'c', 'd', 'e', 'done', "
    "NULL, i / 7.0, 'some detail of number ' || i FROM generate_series(1, {count}) AS n(i)",
}


@pytest.mark.scale
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_memory_does_not_grow_with_the_rows(services: Parts, tmp_path: Path, file_format: str) -> None:
    peaks = []
    for count in (5_000, 50_000):
        async with services.database.writing() as session:
            await session.execute(delete(Base.metadata.tables["events"]))
            await session.execute(text(MANY[services.database.engine.dialect.name].format(count=count)))
        wanted = await order(services, tmp_path / str(count), "events", format=file_format)
        pool = CpuPool(1, memory_mb=256)
        try:
            peaks.append(await pool.run(peak_mb, wanted))
        finally:
            await pool.close()
    few, many = peaks
    assert few > 10, "a Python process has at least that"
    assert many < few + 6, f"{few:.0f} MB for 5,000 rows, {many:.0f} MB for 50,000"


async def test_jobs_and_metrics_come_from_the_queue(services: Parts, tmp_path: Path) -> None:
    for owner, count in (("acme", 1_205), ("globex", 3)):
        await services.enqueuer.enqueue_many(csv_export, [Export(dataset="users")] * count, owner=owner)
    page = await services.store.list(owner="acme", limit=1)
    await services.store.cancel(page.jobs[0].id)
    rows = await rows_of(services, tmp_path / "a", "jobs")
    assert len(rows) == 1_205 and {row["owner"] for row in rows} == {"acme"}
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)
    assert len({row["job_id"] for row in rows}) == 1_205
    cancelled = await rows_of(services, tmp_path / "b", "jobs", params={"status": "cancelled"})
    assert [(row["job_id"], row["status"]) for row in cancelled] == [(page.jobs[0].id, State.CANCELLED)]
    assert len(await rows_of(services, tmp_path / "c", "jobs", owner="dashboard:admin")) == 1_208
    metrics = await rows_of(services, tmp_path / "d", "metrics", params={"queue": "csv-export"})
    assert sum(int(row["enqueued"]) for row in metrics) == 1_208
    assert sum(int(row["cancelled"]) for row in metrics) == 1


def test_more_rows_than_a_sheet_takes_go_on_in_further_sheets(tmp_path: Path) -> None:
    columns = (Column("number", Kind.INTEGER), Column("word"))
    for total, expected in ((9, [9]), (10, [9, 1]), (27, [9, 9, 9])):
        chunks = iter([[(n, f"w{n}") for n in range(start, min(start + 4, total))] for start in range(0, total, 4)])
        path = tmp_path / f"{total}.xlsx"
        assert write_xlsx(path, "Rows", columns, total, chunks, sheet_rows=10) == len(expected)
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == ["Rows", "Rows 2", "Rows 3"][: len(expected)]
        sheets = [list(sheet.iter_rows(values_only=True)) for sheet in book]
        assert [sheet[0] for sheet in sheets] == [("number", "word")] * len(expected)
        assert [len(sheet) - 1 for sheet in sheets] == expected
        assert [row for sheet in sheets for row in sheet[1:]] == [(n, f"w{n}") for n in range(total)]
        assert all(sheet.freeze_panes == "A2" for sheet in book)
