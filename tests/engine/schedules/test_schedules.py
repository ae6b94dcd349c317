"""Slots: each begun once, missed ones said, right on the days that clocks change."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from service.engine.schedules import NoSuchSchedule, Schedules, SlotRun, Ticker
from settings import load_settings
from settings.schedules import SCHEDULES, BadSchedule, CatchUp, Overlap, Schedule
from tasks.sdk.arq_cron import cron_jobs
from tests.parts import Parts

START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
"""A Monday."""

DAILY = Schedule("daily", "0 8 * * *", "probe-echo", {"word": "{date}"})


@pytest.fixture
def time_is() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def declared(parts: Parts, *schedules: Schedule) -> Ticker:
    return Ticker(Schedules(parts.store, parts.enqueuer, schedules))


async def runs(clock: Ticker, name: str = "daily") -> list[SlotRun]:
    return list((await clock.schedules.get(name)).runs)


async def finish(parts: Parts) -> None:
    """A worker does what is queued."""
    for job in await parts.claim(50):
        await parts.end(job)


async def test_a_slot_begins_when_its_time_comes_and_says_how_it_ended(
    parts: Parts, time_is: time_machine.Traveller
) -> None:
    clock = declared(parts, DAILY)
    await clock.tick()
    state = await clock.schedules.get("daily")
    assert (state.words, state.last, state.problem) == ("At 08:00 every day", None, None)
    assert state.next_ms == datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp() * 1000
    time_is.move_to(START + timedelta(minutes=30, seconds=1))
    await clock.tick()
    await clock.tick()
    (run,) = await runs(clock)
    assert (run.kind, run.outcome, run.job) == ("slot", "queued", "probe-echo-20260302T080000Z")
    job = await parts.store.present(run.job)
    assert job.payload == {"word": "2026-03-02"} and job.owner == "schedule:daily"
    await finish(parts)
    await clock.tick()
    await parts.store.purged([run.job])
    assert (await runs(clock))[0].outcome == "completed", "known after the job is gone"


async def test_two_that_look_at_once_and_one_that_comes_late_begin_a_slot_once(
    parts: Parts, time_is: time_machine.Traveller
) -> None:
    clocks = [declared(parts, DAILY) for _ in range(3)]
    await clocks[0].tick()
    time_is.shift(timedelta(minutes=31))
    late = await clocks[2].schedules.store.redis.hget("offload:schedule:daily", "through")
    await asyncio.gather(*(clock.tick() for clock in clocks[:2]))
    await finish(parts)
    # This one had read the time before the others acted, and was held up for a quarter of an hour.
    time_is.shift(timedelta(minutes=15))
    slot = int(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp() * 1000)
    run = SlotRun("probe-echo-20260302T080000Z", slot, "slot", slot, "probe-echo-20260302T080000Z", "queued")
    again = await clocks[2].schedules.begin(DAILY, run, seen=late.decode(), through=str(slot))
    assert again == ("late", "")
    assert await clocks[2].schedules.begin(DAILY, run) == ("same", run.job)
    assert len((await parts.store.list(type="probe-echo")).jobs) == len(await runs(clocks[0])) == 1


@pytest.mark.parametrize(("policy", "jobs"), [(CatchUp.ONCE, 1), (CatchUp.NEVER, 0)])
async def test_slots_that_nobody_was_there_for(
    parts: Parts, time_is: time_machine.Traveller, policy: CatchUp, jobs: int
) -> None:
    clock = declared(parts, Schedule("hourly", "0 * * * *", "probe-echo", catch_up=policy))
    await clock.tick()
    time_is.shift(timedelta(hours=3))
    await clock.tick()
    await clock.tick()
    found = await runs(clock, "hourly")
    assert [run.outcome for run in found].count("missed") == 3
    assert [run.kind for run in found].count("catch-up") == jobs
    assert len((await parts.store.list(type="probe-echo")).jobs) == jobs
    assert (await clock.schedules.get("hourly")).missed == 3
    await finish(parts)
    time_is.shift(timedelta(minutes=31))
    await clock.tick()
    await finish(parts)
    assert (await clock.schedules.get("hourly")).missed == 0


async def test_a_month_away_is_said_without_a_flood(parts: Parts, time_is: time_machine.Traveller) -> None:
    clock = declared(parts, Schedule("busy", "* * * * *", "probe-echo"))
    await clock.tick()
    time_is.shift(timedelta(days=30))
    await clock.tick()
    assert len(await runs(clock, "busy")) <= 60
    assert len((await parts.store.list(type="probe-echo")).jobs) == 1
    time_is.shift(timedelta(minutes=1))
    await clock.tick()
    assert (await runs(clock, "busy"))[0].outcome == "skipped"


async def test_while_a_run_goes_on_the_next_is_skipped_or_begins_beside_it(
    parts: Parts, time_is: time_machine.Traveller
) -> None:
    concurrent = Schedule("beside", "0 * * * *", "probe-echo", overlap=Overlap.QUEUE)
    clock = declared(parts, Schedule("alone", "0 * * * *", "probe-steps", {"steps": 1}), concurrent)
    await clock.tick()
    for _ in range(2):
        time_is.shift(timedelta(minutes=30))
        await clock.tick()
        time_is.shift(timedelta(minutes=30))
        await clock.tick()
    assert [run.outcome for run in await runs(clock, "alone")] == ["skipped", "queued"]
    assert [run.outcome for run in await runs(clock, "beside")] == ["queued", "queued"]
    with pytest.raises(ValueError, match="the run before has not ended: job probe-steps-"):
        await clock.schedules.run_now("alone", by="ann")


async def test_a_paused_schedule_lets_its_slots_pass(parts: Parts, time_is: time_machine.Traveller) -> None:
    clock = declared(parts, DAILY)
    await clock.tick()
    for wrong in ({"reason": ""}, {"reason": "x", "until_ms": 1}):
        with pytest.raises(ValueError):
            await clock.schedules.pause("daily", by="ann", **wrong)
    with pytest.raises(NoSuchSchedule):
        await clock.schedules.pause("nightly", reason="x", by="ann")
    until = START + timedelta(days=1)
    await clock.schedules.pause("daily", reason="holidays", by="ann", until_ms=int(until.timestamp() * 1000))
    state = await clock.schedules.get("daily")
    assert state.pause is not None and state.pause.reason == "holidays"
    assert state.next_ms == datetime(2026, 3, 3, 8, tzinfo=UTC).timestamp() * 1000
    time_is.shift(timedelta(hours=2))
    await clock.tick()
    assert await runs(clock) == []
    assert await clock.schedules.run_now("daily", by="ann")
    await finish(parts)
    time_is.move_to(until + timedelta(minutes=31))
    await clock.tick()
    assert [(run.kind, run.by) for run in await runs(clock)] == [("slot", ""), ("manual", "ann")]
    await clock.schedules.pause("daily", reason="for good", by="ann")
    assert (await clock.schedules.get("daily")).next_ms is None
    await clock.schedules.resume("daily")
    assert (await clock.schedules.get("daily")).pause is None


async def test_a_changed_expression_has_missed_nothing(parts: Parts, time_is: time_machine.Traveller) -> None:
    await declared(parts, DAILY).tick()
    time_is.shift(timedelta(days=3))
    clock = declared(parts, Schedule("daily", "0 7 * * *", "probe-echo"))
    await clock.tick()
    await clock.tick()
    assert await runs(clock) == []


BAD = {
    "the schedule x is not a cron expression, '61 * * * *': Bad minute": Schedule("x", "61 * * * *", "probe-echo"),
    "the schedule x is not a cron expression, 'often': Wrong number of fields": Schedule("x", "often", "probe-echo"),
    "the schedule x is not a cron expression of five fields: '0 0 8 * * *'": Schedule("x", "0 0 8 * * *", "probe-echo"),
    "the schedule x names no known time zone: 'Mars/Base'": Schedule("x", "0 8 * * *", "probe-echo", zone="Mars/Base"),
    "the schedule x names no known time zone: '../etc'": Schedule("x", "0 8 * * *", "probe-echo", zone="../etc"),
    "the schedule x names no job type: no-such-job": Schedule("x", "0 8 * * *", "no-such-job"),
    "the schedule x has a payload that does not fit probe-echo: Object contains unknown field `wrong`": Schedule(
        "x", "0 8 * * *", "probe-echo", {"wrong": 1}
    ),
}


@pytest.mark.parametrize("sentence", BAD)
async def test_a_schedule_that_cannot_be_read_is_shown_and_holds_up_no_other(
    parts: Parts, time_is: time_machine.Traveller, sentence: str
) -> None:
    clock = declared(parts, BAD[sentence], DAILY)
    await clock.tick()
    time_is.shift(timedelta(minutes=30))
    await clock.tick()
    state = await clock.schedules.get("x")
    assert (state.problem, state.next_ms, state.runs) == (sentence, None, [])
    assert len(await runs(clock)) == 1
    with pytest.raises(ValueError, match="the schedule x"):
        await clock.schedules.run_now("x", by="ann")


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("cron", "night", "expected"),
    [
        # 8 March 2026: two o'clock becomes three. What would be at half past two comes at three.
        ("30 2 * * *", "2026-03-08", ["07:00"]),
        ("30 1 * * *", "2026-03-08", ["06:30"]),
        ("0 * * * *", "2026-03-08", ["05:00", "06:00", "07:00", "08:00", "09:00"]),
        # 1 November 2026: two o'clock becomes one. What is at half past one comes once, every hour comes every hour.
        ("30 1 * * *", "2026-11-01", ["05:30"]),
        ("30 2 * * *", "2026-11-01", ["07:30"]),
        ("0 * * * *", "2026-11-01", ["04:00", "05:00", "06:00", "07:00", "08:00", "09:00"]),
    ],
)
async def test_the_nights_on_which_clocks_change(
    parts: Parts, time_is: time_machine.Traveller, cron: str, night: str, expected: list[str]
) -> None:
    clock = declared(parts, Schedule("nightly", cron, "probe-echo", zone=NEW_YORK))
    midnight = datetime.fromisoformat(f"{night}T04:00:00+00:00") + timedelta(hours=1 if night < "2026-03-09" else 0)
    time_is.move_to(midnight - timedelta(minutes=1))
    await clock.tick()
    now = midnight
    while now <= datetime.fromisoformat(f"{night}T09:01:00+00:00"):
        time_is.move_to(now)
        await clock.tick()
        await finish(parts)
        now += timedelta(minutes=5)
    found = sorted(run.slot_ms for run in await runs(clock, "nightly"))
    assert [datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M") for ms in found] == expected
    assert {run.outcome for run in await runs(clock, "nightly")} == {"completed"}


@pytest.mark.parametrize("zone", [NEW_YORK, "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 * * * *", "*/20 1-3 * * *", "0 6 * * 1"])
def test_looking_back_finds_the_slots_that_looking_forward_names(cron: str, zone: str) -> None:
    schedule = Schedule("x", cron, "probe-echo", zone=zone)
    for begin in (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 25, tzinfo=UTC)):
        end, named, last = begin + timedelta(days=45), [], begin
        while (last := schedule.next_after(last)) <= end:
            named.append(last)
        assert schedule.slots(begin, end, 10_000) == named


def test_workers_declare_the_schedules_as_arq_knows_them() -> None:
    shown = {one.name.removeprefix("cron:"): one for queue in load_settings().queues for one in cron_jobs(queue)}
    assert shown.keys() == {schedule.name for schedule in SCHEDULES}
    for schedule in SCHEDULES:
        shown[schedule.name].calculate_next(START)
        assert shown[schedule.name].next_run.replace(microsecond=0) == schedule.next_after(START), schedule.name


def test_a_bad_schedule_raises_where_it_is_asked_for_times() -> None:
    with pytest.raises(BadSchedule):
        Schedule("x", "often", "probe-echo").next_after(START)
