"""Every cell of the files is what the database holds, read by Python's csv, openpyxl and pandas."""

import asyncio
import csv
import gzip
import math
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import insert, select

from service.database import Document, Event
from service.database.seed_events import seed_events
from tests.exports.conftest import Parts
from tests.exports.hard import HARD, WITH_NUL, Hard
from tests.exports.writing import written

MOMENT = datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)


def hard_rows(services: Parts) -> list[Hard]:
    return [*HARD, WITH_NUL] if services.database.sqlite else HARD


async def add_hard_events(services: Parts) -> list[Hard]:
    """One event for each hard text, in order."""
    hard = hard_rows(services)
    rows = [
        {
            "event_id": f"event-{number:04}",
            "created_at": MOMENT + timedelta(minutes=number),
            "owner": "acme",
            "actor": "ada",
            "role": "owner",
            "action": "job.queued",
            "target_type": "job",
            "target_id": "j",
            "outcome": "done",
            "took_ms": number / 7 if number % 5 else None,
            "detail": text.stored,
        }
        for number, text in enumerate(hard)
    ]
    async with services.database.writing() as session:
        await session.execute(insert(Event), rows)
    return hard


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


async def test_hard_text_in_csv(services: Parts, tmp_path: Path) -> None:
    hard = await add_hard_events(services)
    path, _ = await written(services, tmp_path / "x", "events", columns=["event_id", "took_ms", "detail"])
    header, *rows = csv_rows(path)
    assert header == ["event_id", "took_ms", "detail"]
    assert [row[2] for row in rows] == [text.in_csv for text in hard]
    assert [row[1] for row in rows] == [repr(n / 7) if n % 5 else "" for n in range(len(hard))]
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(frame["detail"]) == [text.in_csv for text in hard]


async def test_hard_text_in_xlsx(services: Parts, tmp_path: Path) -> None:
    hard = await add_hard_events(services)
    path, written_file = await written(services, tmp_path / "x", "events", columns=["took_ms", "detail"], format="xlsx")
    assert (written_file.rows, written_file.sheets) == (len(hard), 1)
    sheet = openpyxl.load_workbook(path)["Events"]
    cells = list(sheet.iter_rows(min_row=2))
    # Excel's escape for a text that looks like an escape is not undone by openpyxl.
    expected = [t.in_xlsx and t.in_xlsx.replace("_x0041_", "_x005F_x0041_") for t in hard]
    assert [row[1].value for row in cells] == expected
    assert {row[1].data_type for row in cells if row[1].value is not None} == {"s"}, "text stays text"
    assert [row[0].value for row in cells] == [n / 7 if n % 5 else None for n in range(len(hard))]
    frame = pd.read_excel(path, dtype={"detail": str}, keep_default_na=False)
    assert list(frame["detail"]) == [value or "" for value in expected]


async def test_every_cell_of_both_formats_is_that_of_the_database(services: Parts, tmp_path: Path) -> None:
    await seed_events(services.database, 3_000, ["acme", "globex"])
    async with services.database.reading() as session:
        found = await session.scalars(
            select(Event).where(Event.owner == "acme").order_by(Event.created_at, Event.event_id)
        )
        stored = found.all()
    names = [column.key for column in Event.__table__.columns]
    in_csv, _ = await written(services, tmp_path / "c", "events")
    header, *rows = csv_rows(in_csv)
    assert header == names and len(rows) == len(stored) == 1500
    assert rows == [[as_csv(getattr(event, name)) for name in names] for event in stored]
    in_xlsx, _ = await written(services, tmp_path / "x", "events", format="xlsx")
    sheet = openpyxl.load_workbook(in_xlsx)["Events"]
    header, *cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert header == names
    assert cells == [[as_xlsx(getattr(event, name)) for name in names] for event in stored]


def as_csv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # Seeded text holds formulas and signs, and nothing else that is hard.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "-", "@") else str(value)


def as_xlsx(value: Any) -> Any:
    if isinstance(value, datetime):
        # openpyxl reads dates to the millisecond, and those of the seed have no more.
        return value.replace(tzinfo=None)
    return value if value != "" else None


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), datetime(9999, 12, 31, 23, 59, 59, 999000)),
        (datetime(9999, 12, 31, 23, 59, 59, 999499, UTC), datetime(9999, 12, 31, 23, 59, 59, 999000)),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime(9999, 12, 31)),
        (datetime(1900, 3, 1, tzinfo=UTC), datetime(1900, 3, 1)),
        (datetime(1900, 2, 28, tzinfo=UTC), "1900-02-28T00:00:00.000000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
    ],
)
async def test_the_first_and_last_moments_are_dates_that_excel_knows_or_text(
    services: Parts, tmp_path: Path, moment: datetime, shown: Any
) -> None:
    async with services.database.writing() as session:
        await session.execute(
            insert(Event),
            [
                {
                    "event_id": "event-1", "created_at": moment, "owner": "acme", "actor": "a", "role": "owner",
                    "action": "b", "target_type": "c", "target_id": "d", "outcome": "done",
                }
            ],
        )  # fmt: skip
    path, _ = await written(services, tmp_path / "x", "events", columns=["created_at"], format="xlsx")
    cell = openpyxl.load_workbook(path)["Events"]["A2"]
    assert cell.value == shown
    with zipfile.ZipFile(path) as book:
        raw = re.search(rb"<c r=\"A2\"[^>]*><v>([0-9.]+)</v>", book.read("xl/worksheets/sheet1.xml"))
    assert isinstance(shown, str) or (raw and float(raw[1]) < 2_958_466), (
        "the first serial number that Excel has no date for"
    )


async def test_the_sheet_is_one_to_work_with(services: Parts, tmp_path: Path) -> None:
    await seed_events(services.database, 20, ["acme"])
    path, _ = await written(services, tmp_path / "x", "events", format="xlsx")
    sheet = openpyxl.load_workbook(path)["Events"]
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:L21"
    assert all(cell.font.b for cell in sheet[1]) and not any(cell.font.b for cell in sheet[2])
    moment = sheet["B2"]
    assert moment.is_date and moment.number_format == "yyyy-mm-dd hh:mm:ss.000"
    assert sheet.column_dimensions["B"].width >= 23 and sheet.column_dimensions["A"].width >= 40
    assert isinstance(sheet["K2"].value, float)


async def test_flags_and_whole_numbers_keep_their_type(services: Parts, tmp_path: Path) -> None:
    sizes = [0, 1, 10**15 - 1, 10**15, 2**53 + 1]
    async with services.database.writing() as session:
        for number, size in enumerate(sizes):
            session.add(
                Document(
                    file_id=f"file-{number}",
                    owner="acme",
                    name="a.pdf",
                    bytes=size,
                    sha256="0" * 64,
                    media_type="application/pdf",
                    pages=None,
                    path="p",
                    created_at=MOMENT + timedelta(seconds=number),
                )
            )
    path, _ = await written(services, tmp_path / "x", "documents", columns=["bytes", "pages"], format="xlsx")
    sheet = openpyxl.load_workbook(path)["Documents"]
    expected = [0, 1, 10**15 - 1, "1000000000000000", "9007199254740993"]
    assert [sheet.cell(row, 1).value for row in range(2, 7)] == expected, "no digit is lost to Excel's fifteen"
    path, _ = await written(services, tmp_path / "c", "documents", columns=["bytes", "pages"])
    assert csv_rows(path)[1:] == [[str(size), ""] for size in sizes]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_no_rows_are_a_file_with_a_header(services: Parts, tmp_path: Path, file_format: str) -> None:
    path, written_file = await written(services, tmp_path, "events", columns=["owner", "detail"], format=file_format)
    assert written_file.rows == 0
    if file_format == "csv":
        assert path.read_bytes() == b"owner,detail\r\n"
    else:
        sheet = openpyxl.load_workbook(path)["Events"]
        assert [cell.value for cell in sheet[1]] == ["owner", "detail"] and sheet.freeze_panes == "A2"
        assert pd.read_excel(path).empty


async def test_the_csv_is_that_of_rfc_4180(services: Parts, tmp_path: Path) -> None:
    await add_hard_events(services)
    plain, _ = await written(services, tmp_path / "plain", "events")
    assert plain.read_bytes().startswith(b"event_id,") and plain.read_bytes().endswith(b"\r\n")
    marked, _ = await written(services, tmp_path / "marked", "events", bom=True)
    assert marked.read_bytes() == b"\xef\xbb\xbf" + plain.read_bytes()
    packed, _ = await written(services, tmp_path / "packed", "events", gzip=True)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    again, _ = await written(services, tmp_path / "again", "events", gzip=True)
    assert again.read_bytes() == packed.read_bytes(), "the same rows are the same bytes"


async def test_a_number_that_is_none_is_told_in_words(services: Parts, tmp_path: Path) -> None:
    async with services.database.writing() as session:
        for number, value in enumerate((math.inf, -math.inf)):
            session.add(
                Event(
                    created_at=MOMENT + timedelta(seconds=number),
                    owner="acme",
                    actor="a",
                    role="owner",
                    action="b",
                    target_type="c",
                    target_id="d",
                    outcome="done",
                    took_ms=value,
                )
            )
    path, _ = await written(services, tmp_path / "x", "events", columns=["took_ms"], format="xlsx")
    assert [row[0].value for row in openpyxl.load_workbook(path)["Events"].iter_rows(min_row=2)] == ["inf", "-inf"]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_libreoffice_opens_it_and_runs_no_formula(services: Parts, tmp_path: Path, file_format: str) -> None:
    hard = await add_hard_events(services)
    path, _ = await written(services, tmp_path / "x", "events", columns=["event_id", "detail"], format=file_format)
    profile = (tmp_path / "profile").as_uri()
    command = [
        "soffice",
        f"-env:UserInstallation={profile}",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
    ]
    # Comma, double quote, UTF-8, from the first line: the rest as LibreOffice would have it.
    reading = ["--infilter=CSV:44,34,76,1"] if file_format == "csv" else []
    await asyncio.to_thread(
        subprocess.run, [*command, *reading, "--outdir", str(tmp_path), str(path)], check=True, timeout=120
    )
    sheet = openpyxl.load_workbook(tmp_path / "export.xlsx").worksheets[0]
    assert sheet.max_row == len(hard) + 1
    assert not [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
