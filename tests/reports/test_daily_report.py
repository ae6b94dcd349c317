"""A daily report at 9:00 in New York, through a simulated week in which the clocks change."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

import service.engine.schedules.schedules
import service.engine.schedules.ticker
import service.services
from service.database import Event
from service.engine.schedules import Schedules, Ticker
from tests.mail.conftest import Served
from tests.mail.servers import MailSink, serving
from tests.reports.test_report_pdf import text_of
from tests.waiting import wait_until_async
from tests.workers import workers

NEW_YORK = ZoneInfo("America/New_York")

SLOTS = [datetime(2027, 3, day, 9, tzinfo=NEW_YORK) for day in range(11, 18)]
"""Thursday to Wednesday. On Sunday, the 14th, clocks go forward: that day has 23 hours."""

READERS = ["ada@example.com", "grace@example.com"]

SCHEDULE = {
    "name": "daily report",
    "cron": "0 9 * * *",
    "zone": "America/New_York",
    "job": "report-pdf",
    "payload": {
        "report": "activity",
        "from": "{date-1}",
        "to": "{date-1}",
        "zone": "America/New_York",
        "recipients": READERS,
    },
}

EDGES = {
    datetime(2027, 3, 14, 4, 59, 59, tzinfo=UTC): 13,
    datetime(2027, 3, 14, 5, 0, 0, tzinfo=UTC): 14,
    datetime(2027, 3, 15, 3, 59, 59, tzinfo=UTC): 14,
    datetime(2027, 3, 15, 4, 0, 0, tzinfo=UTC): 15,
}
"""Moments of the audit log, each with its day in New York: midnight is at 5:00 UTC, and at 4:00 from the 15th."""


class Clock:
    """The time that schedules go by, here and in the workers."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.move_to(SLOTS[0] - timedelta(hours=1))

    def move_to(self, moment: datetime) -> None:
        self.now_ms = int(moment.timestamp() * 1000)
        aside = self.file.with_suffix(".new")
        aside.write_text(str(self.now_ms))
        aside.replace(self.file)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    """Set before anything is started. No process goes by a clock of its own: the test looks for slots, and nothing else does."""

    @contextlib.asynccontextmanager
    async def no_maintenance(*_: Any) -> AsyncIterator[None]:
        yield

    clock = Clock(tmp_path / "clock")
    monkeypatch.setattr(service.services, "maintaining", no_maintenance)
    for module in (service.engine.schedules.ticker, service.engine.schedules.schedules):
        monkeypatch.setattr(module, "now_ms", lambda: clock.now_ms)
    return clock


@pytest.fixture
def start(settings_env: dict[str, str], clock: Clock, tmp_path: Path) -> Iterator[Callable[[str, MailSink], None]]:
    """Starts workers of a queue that look for no slots; ends them."""
    with contextlib.ExitStack() as stack:

        def begin(queue: str, sink: MailSink) -> None:
            environment = settings_env | {"WATCH_CLOCK": str(clock.file), "OFFLOAD_SMTP_URL": sink.url}
            environment["OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE"] = "0"
            stack.enter_context(workers(f"tests.monitoring.workers.{queue}", tmp_path, environment))()

        yield begin


async def test_a_week_of_daily_reports_over_a_change_of_clocks(
    acme: httpx.AsyncClient, served: Served, clock: Clock, start: Callable[..., None]
) -> None:
    facts = {"owner": "acme", "actor": "acme", "role": "owner", "action": "file.uploaded", "target_type": "document"}
    async with served.services.database.writing() as session:
        session.add_all(Event(created_at=at, target_id="file-1", outcome="done", **facts) for at in EDGES)
    # Without the operator's schedules, whose work this week is not.
    ticker = Ticker(Schedules(served.services.store, served.services.enqueuer, []))
    async with serving() as sink:
        for queue in ("CsvExport", "EmailSender"):
            start(queue, sink)
        made = await acme.post("/api/schedules", json=SCHEDULE)
        assert made.status_code == 201, made.text
        path = f"/api/schedules/{made.json()['schedule_id']}"
        await ticker.tick()
        for number, slot in enumerate(SLOTS):
            clock.move_to(slot - timedelta(seconds=1))
            await ticker.tick()
            assert len((await acme.get(path)).json()["runs"]) == number, "not a second too early"
            clock.move_to(slot + timedelta(seconds=1))
            await ticker.tick()
            await ticker.tick()
            job_id = (await acme.get(path)).json()["runs"][0]["job_id"]

            async def mailed(job_id: str = job_id) -> bool:
                status = (await acme.get(f"/api/jobs/{job_id}/status")).json()
                assert status["status"] != "failed", status
                return any(one["status"] == "completed" for one in status["next_jobs"])

            await wait_until_async(mailed, limit_s=120)
        await ticker.tick()
        runs = (await acme.get(path)).json()["runs"][::-1]
    await check_runs(acme, runs)
    assert sink.by_recipient == Counter({reader: len(SLOTS) for reader in READERS})
    check_mails(sink)


async def check_runs(acme: httpx.AsyncClient, runs: list[dict[str, Any]]) -> None:
    """One report for each slot, of the day before it, with that day's rows."""
    slots = [f"{slot.astimezone(UTC):%Y-%m-%dT%H:%M}:00.000Z" for slot in SLOTS]
    assert [(run["slot"], run["kind"], run["outcome"]) for run in runs] == [(one, "slot", "completed") for one in slots]
    assert {slot[11:16] for slot in slots[:3]} == {"14:00"} and {slot[11:16] for slot in slots[3:]} == {"13:00"}
    rows = Counter(EDGES.values())
    for slot, run in zip(SLOTS, runs, strict=True):
        status = (await acme.get(f"/api/jobs/{run['job_id']}/status")).json()
        assert (status["result"]["rows"], status["result"]["recipients"]) == (rows[slot.day - 1], 2), slot


def check_mails(sink: MailSink) -> None:
    """Each reader has a PDF of each day."""
    for reader in READERS:
        messages = [one.message for one in sink.caught if one.recipient == reader]
        days = [f"{slot.day - 1} March 2027" for slot in SLOTS]
        assert [message["Subject"] for message in messages] == [f"Activity report: {day}" for day in days]
        # The two around the change of clocks, opened again.
        for message, day in zip(messages[3:5], days[3:5], strict=True):
            (attachment,) = message.iter_attachments()
            text = text_of(attachment.get_payload(decode=True))
            assert day in text and "America/New_York" in text
