"""The words of digests and reports."""

import json
from datetime import date

import pytest

from service.monitoring.metrics import QueueWeek, WeekReport
from service.monitoring.weekly_report import week_blocks
from tasks.daily_digest import day_of, written
from tasks.mail.render import Letter, messages
from tasks.mail.template import problems
from tasks.ports.reports import DayLine
from tasks.sdk.errors import Permanent


def test_a_week_is_shown_with_its_change() -> None:
    now = [QueueWeek("pdf-processing", 1200, 0.99, 4000.0), QueueWeek("email-sender", 10, 1.0, 500.0, 5000, 0.975)]
    before = [QueueWeek("pdf-processing", 1000, 0.97, 5000.0), QueueWeek("email-sender", 0, None, None, 0, None)]
    body = week_blocks(WeekReport("2026-02-02", "2026-02-08", now, before), "https://offload.example")
    lines = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]
    assert lines == [
        "*pdf-processing*: 1,200 jobs (+20%), 99.0% succeeded (+2.0 points), 4.0 s on average (-20%)",
        "*email-sender*: 10 jobs, 100.0% succeeded, 0.5 s on average, 5,000 messages, 97.5% delivered",
    ]
    assert "https://offload.example/admin/metrics" in json.dumps(body)


def test_a_digest_is_a_template_that_works() -> None:
    lines = [DayLine("pdf-processing", 1, 12), DayLine("csv-export", 2, 3000), DayLine("thumbnails", 0, 0)]
    source = written(date(2026, 1, 31), lines)
    assert problems(source) == []
    user = {"id": 1, "name": "O'Brien <b>", "email": "o@example.com", "locale": "en", "plan": "free"}
    letter = Letter(1, "o@example.com", user, "<1@example.com>", "https://offload.example/unsubscribe/1")
    (message,) = messages(source, [letter], "Offload <offload@example.com>")
    assert isinstance(message, bytes)
    text = message.decode()
    assert "- pdf-processing: 1 job, 12 pages" in text and "- csv-export: 2 jobs, 3,000 rows" in text
    assert "thumbnails" not in text and "O'Brien <b>" in text
    assert "quiet day" in written(date(2026, 1, 31), []).text


def test_a_day_that_is_none_is_said() -> None:
    with pytest.raises(Permanent, match=r"^'yesterday' is not a day such as 2026-01-31\.$"):
        day_of("yesterday")
