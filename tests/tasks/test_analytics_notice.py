"""The mail about the weekly analytics, in the operators' language."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from service.lib.sentences.port import Translated
from tasks.analytics_notice import AnalyticsNotice, analytics_notice
from tasks.ports.reports import Operators
from tasks.ports.sentences import Sentences
from tasks.sdk.testing import LocalRun


class Written:
    """Keeps what is written to the operators. Implements Operators."""

    addresses: Sequence[str] = ("ops@example.com",)

    def __init__(self, language: str) -> None:
        self.language = language
        self.mails: list[tuple[str, str]] = []

    def link(self, path: str) -> str:
        return f"https://offload.example{path}"

    async def write(self, address: str, subject: str, text: str, reference: str) -> None:
        self.mails.append((subject, text))


@pytest.mark.parametrize(
    ("language", "rows", "subject", "line"),
    [
        ("en", 1, "Metrics of 2026-01-26 to 2026-02-01 (UTC)", "are ready: 1 row, an hour"),
        ("en", 1200, "Metrics of 2026-01-26 to 2026-02-01 (UTC)", "are ready: 1,200 rows, an hour"),
        ("de", 1, "Kennzahlen vom 2026-01-26 bis 2026-02-01 (UTC)", "liegen bereit: 1 Zeile, je Stunde"),
        ("de", 1200, "Kennzahlen vom 2026-01-26 bis 2026-02-01 (UTC)", "liegen bereit: 1.200 Zeilen, je Stunde"),
    ],
)
async def test_it_is_written_in_their_language(
    tmp_path: Path, language: str, rows: int, subject: str, line: str
) -> None:
    operators = Written(language)
    run = LocalRun(tmp_path, ports={Operators: operators, Sentences: Translated()})
    notice = AnalyticsNotice(export="csv-export-1", first_day="2026-01-26", last_day="2026-02-01", rows=rows)
    assert await run.execute(analytics_notice, notice) == 1
    ((found, text),) = operators.mails
    assert found == subject and line in text and "https://offload.example/admin/jobs/csv-export-1\n" in text
