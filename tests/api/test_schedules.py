"""Schedules that owners make."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine

from service.engine.schedules import Ticker
from tests.api.conftest import Served

DAILY = {
    "name": "nightly export",
    "cron": "0 9 * * *",
    "zone": "America/New_York",
    "job": "csv-export",
    "payload": {"dataset": "users", "format": "csv"},
}


@pytest.fixture(autouse=True)
def simulated_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedules go by this process's clock, which time_machine moves, in place of the queue server's."""
    for module in ("schedules", "ticker"):
        monkeypatch.setattr(f"service.engine.schedules.{module}.now_ms", lambda: int(time.time() * 1000))
    monkeypatch.setattr("service.api.schedules.now_ms", lambda: int(time.time() * 1000))


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/schedules", json={k: v for k, v in (DAILY | changes).items() if v is not None})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_next_ten_times_over_a_change_of_clocks(acme: httpx.AsyncClient) -> None:
    with time_machine.travel(datetime(2026, 3, 5, 12, tzinfo=UTC), tick=True):
        times = (await made(acme))["next"]
    assert len(times) == 10
    assert times[0] == "2026-03-05T14:00:00.000Z" and times[3] == "2026-03-08T13:00:00.000Z"


async def test_a_simulated_week_with_a_change_of_clocks(acme: httpx.AsyncClient, served: Served) -> None:
    ticker = Ticker(served.services.schedules)
    with time_machine.travel(datetime(2026, 10, 29, 12, tzinfo=UTC), tick=False) as clock:
        schedule_id = (await made(acme, overlap="queue"))["schedule_id"]
        await ticker.tick()
        for _ in range(7 * 24):
            clock.shift(timedelta(hours=1))
            await ticker.tick()
        runs = (await acme.get(f"/api/schedules/{schedule_id}")).json()["runs"]
    begun = sorted(run["slot"] for run in runs)
    assert begun == [
        *(f"2026-10-{day}T13:00:00.000Z" for day in (29, 30, 31)),
        *(f"2026-11-0{day}T14:00:00.000Z" for day in (1, 2, 3, 4)),
    ]
    jobs = (await acme.get("/api/jobs?type=csv-export")).json()["jobs"]
    assert {run["job_id"] for run in runs} == {job["id"] for job in jobs} and len(jobs) == 7


async def test_pause_resume_run_and_delete(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    schedule_id = (await made(acme))["schedule_id"]
    path = f"/api/schedules/{schedule_id}"
    assert (await acme.patch(path, json={"paused": True})).json()["paused"] is True
    assert (await acme.patch(path, json={"paused": False})).json()["paused"] is False
    started = await acme.post(f"{path}/run")
    assert started.status_code == 202
    assert (await acme.get(started.json()["status_url"])).json()["status"] == "queued"
    again = await acme.post(f"{path}/run")
    assert again.status_code == 409 and started.json()["job_id"] in again.json()["detail"]
    for call in (
        globex.get(path),
        globex.patch(path, json={"paused": True}),
        globex.delete(path),
        globex.post(path + "/run"),
    ):
        assert (await call).status_code == 404
    assert (await globex.get("/api/schedules")).json() == {"schedules": []}
    assert [one["schedule_id"] for one in (await acme.get("/api/schedules")).json()["schedules"]] == [schedule_id]
    assert (await acme.delete(path)).status_code == 204
    assert (await acme.get(path)).status_code == 404


async def test_replace_cancels_the_run_before(acme: httpx.AsyncClient) -> None:
    path = f"/api/schedules/{(await made(acme, overlap='replace'))['schedule_id']}"
    first = (await acme.post(f"{path}/run")).json()["job_id"]
    second = (await acme.post(f"{path}/run")).json()["job_id"]
    states = {job: (await acme.get(f"/api/jobs/{job}/status")).json()["status"] for job in (first, second)}
    assert states == {first: "cancelled", second: "queued"}


async def test_an_interval_with_jitter_and_an_end(acme: httpx.AsyncClient, served: Served) -> None:
    ticker = Ticker(served.services.schedules)
    with time_machine.travel(datetime(2037, 6, 1, tzinfo=UTC), tick=False) as clock:
        ends = "2037-06-01T00:03:30Z"
        body = await made(acme, cron=None, every_s=60, jitter_s=30, overlap="queue", ends=ends)
        assert [time[11:19] for time in body["next"]] == ["00:01:00", "00:02:00", "00:03:00"]
        await ticker.tick()
        for _ in range(10):
            clock.shift(timedelta(seconds=30))
            await ticker.tick()
        runs = (await acme.get(f"/api/schedules/{body['schedule_id']}")).json()["runs"]
    assert len(runs) == 3
    due = [job.due_ms for run in runs if (job := await served.services.store.get(run["job_id"]))]
    slots = [int(datetime.fromisoformat(run["slot"]).timestamp() * 1000) for run in runs]
    assert all(0 < moment - slot < 30_000 for moment, slot in zip(due, slots, strict=True))
    assert len({moment - slot for moment, slot in zip(due, slots, strict=True)}) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "often"}, "cron"),
        ({"cron": None}, "cron"),
        ({"every_s": 120}, "cron"),
        ({"cron": None, "every_s": 1}, "every_s"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"job": "sweep-uploads", "payload": {}}, "job"),
        ({"job": "nothing"}, "job"),
        ({"payload": {"dataset": "users", "format": "xml"}}, "payload.format"),
        ({"payload": {"dataset": "nothing", "format": "csv"}}, "dataset"),
        ({"payload": []}, "payload"),
        ({"overlap": "beside"}, "overlap"),
        ({"jitter_s": -1}, "jitter_s"),
        ({"ends": "2020-01-01T00:00:00Z"}, "ends"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_schedules_that_cannot_be(acme: httpx.AsyncClient, changes: dict[str, Any], field: str) -> None:
    answer = await acme.post("/api/schedules", json={k: v for k, v in (DAILY | changes).items() if v is not None})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_a_name_twice_and_too_many(acme: httpx.AsyncClient, globex: httpx.AsyncClient, monkeypatch: Any) -> None:
    await made(acme)
    await made(globex)
    answer = await acme.post("/api/schedules", json=DAILY)
    assert (answer.status_code, answer.json()["detail"]) == (409, "There is a schedule named nightly export already.")
    monkeypatch.setattr("service.engine.schedules.owned.PER_OWNER", 1)
    assert (await acme.post("/api/schedules", json=DAILY | {"name": "another"})).status_code == 409
