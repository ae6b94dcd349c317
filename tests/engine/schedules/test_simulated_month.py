"""A Monday, the first of a month, in simulated time: every schedule in real workers, of which the elected are killed."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from service.database import User, open_database
from service.engine.schedules import Schedules, SlotRun
from service.engine.schedules import keys as schedule_keys
from service.engine.states import State
from service.engine.store import keys
from service.lib.storage.object_storage import Storage
from settings import load_settings
from settings.schedules import SCHEDULES
from tasks.sdk.types import REGISTRY
from tests.mail.servers import MailSink, serving
from tests.monitoring.receiver import Receiver, receiving
from tests.parts import Parts
from tests.waiting import wait_until_async

ROOT = Path(__file__).parents[3]
MIDNIGHT = datetime(2027, 2, 1, tzinfo=UTC)

Start = Callable[..., subprocess.Popen[bytes]]


class SimulatedTime:
    """What the workers' schedules take for the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = MIDNIGHT - timedelta(minutes=1)
        self.move_to(self.now)

    def move_to(self, moment: datetime) -> None:
        self.now = moment
        aside = self.path.with_suffix(".new")
        aside.write_text(str(int(moment.timestamp() * 1000)))
        aside.replace(self.path)


@pytest.fixture
async def outside(
    monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> AsyncIterator[tuple[MailSink, Receiver]]:
    """A mail server and Slack."""
    async with serving() as mail, receiving() as slack:
        more = {
            "OFFLOAD_SMTP_URL": mail.url,
            "OFFLOAD_SLACK_WEBHOOK_URL": f"{slack.url}/slack",
            "OFFLOAD_REPORTS_TO": "ops@example.com",
            "OFFLOAD_LEASE_S": "2",
        }
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        settings_env.update(more)
        load_settings.cache_clear()
        yield mail, slack


@pytest.fixture
def start(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts workers; ends what is left of them."""
    started: list[tuple[subprocess.Popen[bytes], Path]] = []

    def begin(queue: str, **environment: str) -> subprocess.Popen[bytes]:
        log = tmp_path / f"{queue}-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "arq", f"tests.monitoring.workers.{queue}"],
                cwd=ROOT,
                env=os.environ | settings_env | {"WATCH_CLOCK": str(tmp_path / "clock")} | environment,
                stdout=output,
                stderr=output,
            )
        started.append((process, log))
        return process

    yield begin
    for process, log in started:
        process.kill()
        process.wait(10)
        print(log.name, log.read_text()[-3000:], sep="\n")


async def prepare(parts: Parts) -> None:
    """Leftovers and readers: what the day's work is done on."""
    async with open_database(parts.settings.database_url) as database, database.writing() as session:
        for number, (active, digest) in enumerate([(True, True), (True, True), (True, False), (False, True)], 1):
            address = f"user{number}@example.com"
            values = {"name": f"User {number}", "locale": "en", "plan": "free"}
            session.add(User(id=number, email=address, active=active, digest=digest, **values))
    uploads = parts.settings.data_dir / "uploads"
    uploads.mkdir(parents=True)
    for name, hours in (("broken-off.part", 30), ("under-way.part", 0)):
        (uploads / name).write_bytes(b"x" * 1000)
        quiet = datetime.now().timestamp() - hours * 3600
        os.utime(uploads / name, (quiet, quiet))
    storage = Storage(parts.settings.storage_url)
    await storage.put("jobs/csv-export-gone/files/export.csv", b"nobody knows this job")
    left = storage.local_path("jobs/csv-export-gone/files/export.csv")
    assert left is not None
    os.utime(left, (0, 0))
    for back in range(8):
        day = (datetime.now(UTC).date() - date(1970, 1, 1)).days - back
        await parts.store.redis.hset(keys.metrics_day("pdf-processing", day), mapping={"completed|pdf-ocr": 10})
        hour = day * 24 + 12
        await parts.store.redis.hset(keys.metrics_hour("pdf-processing", hour), mapping={"completed|pdf-ocr": 10})


@pytest.mark.chaos
@pytest.mark.slow
async def test_a_day_of_all_schedules(
    parts: Parts, outside: tuple[MailSink, Receiver], start: Start, tmp_path: Path
) -> None:
    mail, slack = outside
    slack.answers = [(503, {})]
    await prepare(parts)
    time = SimulatedTime(tmp_path / "clock")
    schedules = Schedules(parts.store, parts.enqueuer)
    for queue in ("EmailSender", "CsvExport"):
        start(queue)
    workers = [start("Thumbnails", WATCH_MAINTENANCE="yes") for _ in range(2)]

    async def known() -> bool:
        return all([await parts.store.redis.exists(schedule_keys.schedule(one.name)) for one in SCHEDULES])

    await wait_until_async(known)
    for hour in range(24):
        if hour in (5, 9):
            # Whichever of the two was elected, it is gone by nine.
            workers[hour == 9].kill()
        if hour == 7:
            workers.append(start("Thumbnails", WATCH_MAINTENANCE="yes"))
        time.move_to(MIDNIGHT + timedelta(hours=hour, seconds=1))
        await wait_until_async(lambda: all_done(schedules, time.now))
    runs = {state.name: sorted(state.runs, key=lambda run: run.slot_ms) for state in await schedules.list()}
    for schedule in SCHEDULES:
        due = schedule.slots(MIDNIGHT - timedelta(seconds=1), MIDNIGHT + timedelta(days=1, seconds=-1), 100)
        assert [run.slot_ms for run in runs[schedule.name]] == [int(slot.timestamp() * 1000) for slot in due]
        assert {(run.kind, run.outcome) for run in runs[schedule.name]} == {("slot", "completed")}, schedule.name
        jobs = await parts.store.list(type=schedule.job, limit=100)
        assert len(jobs.jobs) == len(due), "a slot was begun twice"
    await check_work(parts, mail, slack, runs)
    await check_twice(parts, mail, slack, runs)


async def all_done(schedules: Schedules, moment: datetime) -> bool:
    for state in await schedules.list():
        slots = state.schedule.slots(MIDNIGHT - timedelta(seconds=1), moment, 100)
        done = {run.slot_ms for run in state.runs if run.outcome == "completed"}
        if not {int(slot.timestamp() * 1000) for slot in slots} <= done:
            return False
    return True


async def check_work(parts: Parts, mail: MailSink, slack: Receiver, runs: dict[str, list[SlotRun]]) -> None:
    """What the day's jobs did, outside Redis."""

    async def reported() -> bool:
        return bool(slack.bodies("/slack")) and mail.by_recipient["ops@example.com"] == 1

    await wait_until_async(reported)
    assert mail.by_recipient == {"user1@example.com": 1, "user2@example.com": 1, "ops@example.com": 1}
    (notice,) = [one.message for one in mail.caught if one.recipient == "ops@example.com"]
    export = runs["weekly-analytics"][0].job
    assert f"/admin/jobs/{export}" in notice.get_content()
    job = await parts.store.present(export)
    assert [one["name"] for one in job.artefacts] == ["export.csv"]
    report = [body for body in slack.bodies("/slack") if body["text"].startswith("Week of")]
    assert len(report) == 1 and report[0]["text"] == "Week of 2027-01-25 to 2027-01-31 (UTC)"
    swept = await parts.store.get_many([run.job for run in runs["temporary-uploads"]])
    assert sum(one.result["files"] for one in swept if one) == 1
    assert [path.name for path in (parts.settings.data_dir / "uploads").iterdir()] == ["under-way.part"]
    (cleaned,) = await parts.store.get_many([runs["expired-temp-files"][0].job])
    assert cleaned is not None and cleaned.result["files"] == 1
    assert not await Storage(parts.settings.storage_url).exists("jobs/csv-export-gone/files/export.csv")


async def check_twice(parts: Parts, mail: MailSink, slack: Receiver, runs: dict[str, list[SlotRun]]) -> None:
    """The same work once more, as an operator may ask for it: no one is notified twice."""
    sent, posted = len(mail.caught), len(slack.taken)
    again = {}
    for name in ("daily-digest", "weekly-report"):
        first = await parts.store.present(runs[name][0].job)
        job_type = REGISTRY[first.type]
        payload = msgspec.convert(first.payload, job_type.payload)
        again[name] = (await parts.enqueuer.enqueue(job_type, payload, owner="schedule:again")).job_id

    async def ended() -> bool:
        return all(job.state.terminal for job in await parts.store.get_many(list(again.values())) if job)

    await wait_until_async(ended)
    digest, report = await parts.store.get_many(list(again.values()))
    assert digest is not None and (digest.state, digest.result["sent"]) == (State.COMPLETED, 2)
    assert report is not None and report.result["done"] == "this week was posted before"
    assert (len(mail.caught), len(slack.taken)) == (sent, posted)
