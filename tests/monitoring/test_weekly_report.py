"""The words of digests and reports."""

import json
from datetime import date
from email import message_from_bytes
from email.policy import SMTP

import pytest

from service.lib.languages import in_language
from service.lib.sentences.port import Translated
from service.lib.sentences.recogniser import shown
from service.monitoring.metrics import QueueWeek, WeekReport
from service.monitoring.weekly_report import week_blocks
from tasks.daily_digest import by_locale, day_of, written
from tasks.mail.render import Letter, messages
from tasks.mail.template import problems
from tasks.ports.reports import DayLine
from tasks.sdk.errors import Permanent


def test_a_week_is_shown_with_its_change() -> None:
    now = [QueueWeek("pdf-processing", 1200, 0.99, 4000.0), QueueWeek("email-sender", 1, 1.0, 500.0, 5000, 0.975)]
    before = [QueueWeek("pdf-processing", 1000, 0.97, 5000.0), QueueWeek("email-sender", 0, None, None, 0, None)]
    body = week_blocks(WeekReport("2026-02-02", "2026-02-08", now, before), "https://offload.example")
    lines = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]
    assert lines == [
        "*pdf-processing*: 1,200 jobs (+20 %), 99.0 % succeeded (+2.0 points), 4.0 s on average (-20 %)",
        "*email-sender*: 1 job, 100.0 % succeeded, 0.5 s on average, 5,000 messages, 97.5 % delivered",
    ]
    assert "https://offload.example/admin/metrics" in json.dumps(body)
    with in_language("de"):
        german = week_blocks(WeekReport("2026-02-02", "2026-02-08", now, before), "https://offload.example")
    assert german["text"] == "Woche vom 2026-02-02 bis 2026-02-08 (UTC)"
    assert [block["text"]["text"] for block in german["blocks"] if block["type"] == "section"] == [
        "*pdf-processing*: 1.200 Jobs (+20 %), 99,0 % erfolgreich (+2,0 Punkte), im Mittel 4,0 s (-20 %)",
        "*email-sender*: 1 Job, 100,0 % erfolgreich, im Mittel 0,5 s, 5.000 Nachrichten, 97,5 % zugestellt",
    ]


def test_a_digest_is_a_template_that_works() -> None:
    lines = [DayLine("pdf-processing", 1, 12), DayLine("csv-export", 2000, 1), DayLine("thumbnails", 0, 0)]
    sources = {}
    for language in Translated().languages:
        with in_language(language):
            sources[language] = written(date(2026, 1, 31), lines, shown)
    source = by_locale(sources)
    assert problems(source) == []
    found = {}
    for locale in ("en", "de-AT", "fr", ""):
        user = {"id": 1, "name": "O'Brien <b>", "email": "o@example.com", "locale": locale, "plan": "free"}
        letter = Letter(1, "o@example.com", user, "<1@example.com>", "https://offload.example/unsubscribe/1")
        (message,) = messages(source, [letter], "Offload <offload@example.com>")
        assert isinstance(message, bytes)
        found[locale] = message_from_bytes(message, policy=SMTP)
    assert found["en"]["Subject"] == found["fr"]["Subject"] == found[""]["Subject"] == "Your digest of 2026-01-31"
    text = found["en"].get_body(("plain",)).get_content()
    assert "- pdf-processing: 1 job, 12 pages" in text and "- csv-export: 2,000 jobs, 1 row\r\n" in text
    assert "2026-01-31 (UTC)" in text and "thumbnails" not in text and "Hello O'Brien <b>," in text
    assert found["de-AT"]["Subject"] == "Ihre Tagesübersicht vom 2026-01-31"
    german = found["de-AT"].get_body(("plain",)).get_content()
    assert "- pdf-processing: 1 Job, 12 Seiten" in german and "- csv-export: 2.000 Jobs, 1 Zeile\r\n" in german
    assert "Guten Tag O'Brien <b>," in german and "digest" not in german
    assert "Guten Tag O'Brien &lt;b&gt;," in found["de-AT"].get_body(("html",)).get_content()
    assert "quiet day" in written(date(2026, 1, 31), [], str).text


def test_a_day_that_is_none_is_said() -> None:
    with pytest.raises(Permanent, match=r"^'yesterday' is not a day such as 2026-01-31\.$"):
        day_of("yesterday")
