"""Metered use as CSV (RFC 4180), for spreadsheets and bills."""

import csv
import io
import re
from collections.abc import Sequence

from service.monitoring.metering import MonthUse
from tasks.exports.csv_injection import for_csv
from tasks.sdk.errors import Refused

COLUMNS = (
    "owner",
    "month",
    "jobs",
    "pages_uploaded",
    "pages_read",
    "cpu_seconds",
    "mails",
    "video_minutes",
    "stored_byte_days",
)
"""Names of the columns, and of the fields of `MonthUse`."""

MONTH = re.compile(r"(?:20|21)[0-9]{2}-(?:0[1-9]|1[0-2])")


def usage_csv(rows: Sequence[MonthUse]) -> str:
    """A header and a line for each row."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        values = [getattr(row, column) for column in COLUMNS]
        writer.writerow([for_csv(value) if isinstance(value, str) else value for value in values])
    return file.getvalue()


def checked_month(given: str) -> str:
    """A month as a request names it. Raises Refused (400)."""
    if not MONTH.fullmatch(given):
        raise Refused(f"{given[:40]!r} is not a month: write it as 2026-11.", field="month")
    return given
