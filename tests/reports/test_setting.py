"""Documents set as PDF: tags, repeated heads, every writing, and rows beyond the limit of a listing."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest

from tasks.exports.datasets import DATASETS
from tasks.exports.source import Query, SqliteSource
from tasks.reports.counting import NEWEST_MAX
from tasks.reports.gathering import Gather, Rows, gather
from tasks.reports.kind import Subject
from tasks.reports.kinds import KINDS
from tasks.reports.period import read_period
from tasks.reports.setting import set_report

HARD = "محاولة שלום 日本語 한국어 😀 " + "w" * 300

VALUES: dict[str, Any] = {
    "integer": 3,
    "number": 1.5,
    "flag": 1,
    "outcome": "done",
    "actor": HARD,
    "email": "ada@example.com",
}


def rows_of(folder: Path, dataset: str, count: int, **values: Any) -> Rows:
    """Rows of a dataset in a file of their own, a minute apart from 1 March 2026 on."""
    names = [column.name for column in DATASETS[dataset].columns]
    kinds = {column.name: str(column.kind) for column in DATASETS[dataset].columns}
    path = folder / f"{dataset}.db"
    first = datetime(2026, 3, 1, tzinfo=UTC)

    def value(name: str, number: int) -> Any:
        if kinds[name] == "moment":
            return f"{first + timedelta(minutes=number):%Y-%m-%d %H:%M:%S.%f}"
        return (VALUES | values).get(name, VALUES.get(kinds[name], f"{name}-{number % 7}"))

    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE rows ({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    made = ([value(name, number) for name in names] for number in range(count))
    connection.executemany(f"INSERT INTO rows VALUES ({marks})", made)
    connection.commit()
    connection.close()
    return Rows(
        dataset, SqliteSource(str(path)), Query("SELECT count(*) FROM rows", "SELECT * FROM rows", ()), tuple(names)
    )


def made(folder: Path, report: str, count: int, **values: Any) -> tuple[int, list[str]]:
    """Pages of a report over so many rows: how many, and the text of each."""
    rows = [rows_of(folder, dataset, count, **values) for dataset in KINDS[report].reads]
    subject = Subject(read_period("2026-03-01", "2026-05-31", "Europe/Paris"), "acme", {"pdf-ocr": "page"})
    gather(Gather(report, subject, rows, folder / "document.json", folder / "tally"))
    pages = set_report(folder, folder / "tally")
    with pypdfium2.PdfDocument(folder / "report.pdf") as pdf:
        return pages, [pdf[number].get_textpage().get_text_range() for number in range(len(pdf))]


@pytest.mark.parametrize("report", KINDS)
def test_a_report_is_tagged_and_its_heads_come_again_on_every_page(tmp_path: Path, report: str):
    pages, texts = made(tmp_path, report, NEWEST_MAX + 50, status="failed", error=HARD)
    assert pages == len(texts) > 3
    assert f"{KINDS[report].title} report" in texts[0] and "1 March 2026 to 31 May 2026" in texts[0]
    assert all(f"Page {number} of {pages}" in text for number, text in enumerate(texts, 1))
    head = {"activity": "Actor", "usage": "Name", "deliveries": "Address", "jobs": "Job"}[report]
    assert all(head in text for text in texts[3:])
    assert any(f"The newest {NEWEST_MAX} of {NEWEST_MAX + 50} rows" in text for text in texts)
    with pikepdf.open(tmp_path / "report.pdf") as pdf:
        assert pdf.Root.MarkInfo.Marked and pdf.Root.StructTreeRoot is not None and str(pdf.Root.Lang) == "en"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"].startswith(f"{KINDS[report].title} report")


def test_a_report_of_no_rows_says_so_on_one_page(tmp_path: Path):
    pages, texts = made(tmp_path, "jobs", 0)
    assert pages == 1 and "no row falls into this range" in texts[0]


def test_a_letter_that_no_font_has_costs_the_claim_of_ua_and_not_the_report(tmp_path: Path):
    _, texts = made(tmp_path, "activity", 3, actor="private 𓀀 use")
    assert any("private" in text for text in texts)
    with pikepdf.open(tmp_path / "report.pdf") as pdf:
        assert pdf.Root.MarkInfo.Marked
        with pdf.open_metadata() as metadata:
            assert "pdfuaid:part" not in metadata


def test_a_hundred_thousand_rows_are_counted_and_the_newest_listed(tmp_path: Path):
    pages, texts = made(tmp_path, "activity", 100_000)
    assert pages < 60 and "100,000" in texts[0]
