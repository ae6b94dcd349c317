"""Schedules and alerts at the dashboard: what they say, and what an operator may do about them."""

import msgspec
import pytest

from service.engine.schedules.owned import OwnedSchedule
from service.lib.clock import now_ms
from service.monitoring.alerts import AlertStatus, HistoryEntry, keys
from service.monitoring.alerts.alerts import record
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker

RULE = "queue-backlog"


async def fire(made: Maker, subject: str = "csv-export") -> None:
    """A rule that fires, as an evaluation leaves it behind."""
    alerts, at_ms = made.services.alerts, now_ms()
    alert = AlertStatus(RULE, subject, state="firing", value=140, fired_ms=at_ms, link=f"/admin/queues/{subject}")
    await alerts.redis.hset(keys.ALERTS, alert.key, msgspec.json.encode(alert))
    pipe = alerts.redis.pipeline()
    record(pipe, HistoryEntry(at_ms, RULE, subject, "fired", "warning", "140 jobs wait in csv-export"))
    await pipe.execute()


async def test_a_run_now_is_a_job_and_stands_as_the_last_run(operator: Client, made: Maker) -> None:
    answer = await act(operator, "/admin/schedules/temporary-uploads/run")
    assert answer.status_code == 303
    job_id = answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0]
    job = await made.store.present(job_id)
    assert (job.type, job.owner) == ("sweep-uploads", "schedule:temporary-uploads")
    page = (await operator.get("/admin/schedules")).text
    assert f"/admin/jobs/{job_id}" in page and "started by admin" in page
    again = await act(operator, "/admin/schedules/temporary-uploads/run")
    assert again.status_code == 409 and "has not ended" in again.text


async def test_a_schedule_is_paused_with_a_reason_and_resumed(operator: Client, made: Maker) -> None:
    await act(operator, "/admin/schedules/daily-digest/pause", reason="<b>holiday</b>", end="24h")
    state = await made.services.schedules.get("daily-digest")
    assert state.pause is not None and (state.pause.by, state.pause.reason) == ("admin", "<b>holiday</b>")
    assert "&lt;b&gt;holiday" in (await operator.get("/admin/schedules")).text
    assert (await act(operator, "/admin/schedules/daily-digest/resume")).status_code == 303
    assert (await made.services.schedules.get("daily-digest")).pause is None


async def test_an_alert_is_shown_muted_and_unmuted(operator: Client, made: Maker) -> None:
    assert "No active alerts" in (await operator.get("/admin/alerts")).text
    await fire(made)
    page = (await operator.get("/admin/alerts")).text
    assert "140 jobs wait in csv-export" in page and "/admin/queues/csv-export" in page
    await act(operator, f"/admin/alerts/{RULE}/mute", reason="a big import", end="1h")
    page = (await operator.get("/admin/alerts?notice=muted")).text
    assert "a big import" in page and "for another 59 min" in page and f"/admin/alerts/{RULE}/unmute" in page
    await act(operator, f"/admin/alerts/{RULE}/unmute")
    assert await made.services.alerts.mutes() == {}
    assert "Unmuted" in (await operator.get("/admin/alerts")).text


@pytest.mark.parametrize(
    ("path", "fields", "status_code"),
    [
        (f"alerts/{RULE}/mute", {"reason": "x", "end": ""}, 400),
        (f"alerts/{RULE}/mute", {"reason": " ", "end": "1h"}, 400),
        (f"alerts/{RULE}/mute", {"reason": "x", "end": "ever"}, 400),
        ("alerts/nothing/mute", {"reason": "x", "end": "1h"}, 404),
        ("schedules/daily-digest/pause", {"reason": " "}, 400),
        ("schedules/nothing/run", {}, 404),
        ("schedules/nothing/resume", {}, 404),
    ],
)
async def test_what_makes_no_sense_is_said(
    operator: Client, made: Maker, path: str, fields: dict[str, str], status_code: int
) -> None:
    assert (await act(operator, f"/admin/{path}", **fields)).status_code == status_code
    assert await made.services.alerts.mutes() == {}


async def test_a_viewer_sees_both_and_changes_neither(operator: Client, made: Maker) -> None:
    await fire(made)
    given = await token(operator)
    operator.auth = VIEWER
    for page in ("alerts", "schedules", "metrics", "audit"):
        assert 'method="post"' not in (await operator.get(f"/admin/{page}")).text
    for action in (f"alerts/{RULE}/mute", "schedules/daily-digest/run", "schedules/daily-digest/pause"):
        fields = {"csrf": given, "reason": "x", "end": "1h"}
        assert (await operator.post(f"/admin/{action}", data=fields)).status_code == 403


async def test_a_schedule_of_an_owner_bears_the_owners_name_for_it(operator: Client, made: Maker) -> None:
    one = OwnedSchedule(
        schedule_id="schedule-1", owner="acme", name="Users <daily>", job="csv-export",
        payload={"dataset": "users", "format": "csv"}, created_ms=1, every_s=3600,
    )  # fmt: skip
    await made.services.schedules.owned.add(one)
    page = (await operator.get("/admin/schedules")).text
    assert "Users &lt;daily&gt;" in page and "as <code>schedule-1</code>" in page
    assert 'href="/admin/jobs?owner=acme">acme</a>' in page
    assert "<code></code>" not in page
    assert (await act(operator, "/admin/schedules/schedule-1/pause", reason="too many", end="24h")).status_code == 303
    assert (await made.services.schedules.get("schedule-1")).pause is not None
