"""QueueControls a queue from its page."""

import dataclasses

import pytest

from dashboard.formats import duration
from dashboard.queues.forecast import Forecast, what_if
from dashboard.queues.overview import last_hour, overview
from service.engine.outcomes import OutcomeKind
from service.engine.store import Store
from service.engine.store.breakers import BreakerBounds
from service.engine.store.script_inputs import Outcome
from service.monitoring.audit_log import AuditFilter
from settings import Queue
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker, made_type
from tests.waiting import wait_until_async


async def test_a_pause_stands_with_who_why_and_until_when(operator: Client, made: Maker) -> None:
    answer = await act(operator, "/admin/queues/csv-export/steer", kind="pause", reason="the disk is full", end="1h")
    page = (await operator.get(answer.headers["location"])).text
    assert "Paused" in page and "by admin" in page and "the disk is full" in page and "for another 59 min" in page

    async def reported() -> bool:
        return "csv-export was paused by admin: the disk is full" in (await operator.get("/admin/queues/live")).text

    await wait_until_async(reported)
    removed = await act(operator, "/admin/queues/csv-export/lift", kind="pause")
    assert removed.headers["location"] == "/admin/queues/csv-export?notice=lifted"
    assert await made.store.controls.holds("csv-export") == {}


async def test_a_limit_and_a_rate_are_set(operator: Client, made: Maker) -> None:
    for kind, value in (("limit", "3"), ("rate", "60")):
        await act(operator, "/admin/queues/email-sender/steer", kind=kind, value=value, reason="a slow relay", end="")
    holds = await made.store.controls.holds("email-sender")
    assert {kind: (note.value, note.by, note.until_ms) for kind, note in holds.items()} == {
        "limit": (3, "admin", None),
        "rate": (60, "admin", None),
    }


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "pause", "reason": " "}, "Give a reason"),
        ({"kind": "limit", "value": "0", "reason": "x"}, "A limit is at least 1, not 0"),
        ({"kind": "limit", "value": "many", "reason": "x"}, "many"),
        ({"kind": "shape", "reason": "x"}, "A queue has no shape"),
        ({"kind": "pause", "reason": "x", "end": "forever"}, "There is no end forever"),
    ],
)
async def test_what_makes_no_sense_is_said(
    operator: Client, made: Maker, fields: dict[str, str], sentence: str
) -> None:
    answer = await act(operator, "/admin/queues/csv-export/steer", **fields)
    assert answer.status_code == 400 and sentence in answer.text
    assert await made.store.controls.holds("csv-export") == {}


async def test_a_viewer_steers_nothing(operator: Client, made: Maker) -> None:
    given = await token(operator)
    operator.auth = VIEWER
    fields = {"csrf": given, "kind": "pause", "reason": "x"}
    assert (await operator.post("/admin/queues/csv-export/steer", data=fields)).status_code == 403
    assert 'method="post"' not in (await operator.get("/admin/queues/csv-export")).text


async def test_every_queue_has_a_page_and_no_other(operator: Client) -> None:
    for queue in Queue:
        assert (await operator.get(f"/admin/queues/{queue}")).status_code == 200
    assert (await operator.get("/admin/queues/fax")).status_code == 404


async def test_the_schedules_are_shown_in_plain_words(operator: Client) -> None:
    page = (await operator.get("/admin/schedules")).text
    for cron in ("0 8 * * *", "0 6 * * 1", "0 0 1 * *", "0 2 * * *", "0 * * * *"):
        assert cron in page
    assert "At 06:00 on Monday" in page


async def test_what_more_jobs_at_once_would_change_is_forecast(operator: Client, made: Maker) -> None:
    await made.worker(Queue.CSV_EXPORT, slots=1)
    for _ in range(4):
        await made.queued(made_type("csv-export", Queue.CSV_EXPORT))
    row = next(
        row
        for row in (await overview(made.services, await last_hour(made.services), [])).queues
        if row.name == "csv-export"
    )
    bounds = made.services.settings.queues[Queue.CSV_EXPORT]
    one, two = (what_if(row, bounds, {}, "2", workers).then for workers in ("1", "2"))
    assert (one.slots, two.slots) == (1, 2) and one.clears_ms and two.clears_ms
    assert one.load == two.load > 0
    assert one.clears_ms * (1 - one.load) == pytest.approx(two.clears_ms * (2 - two.load)) == row.backlog_ms
    page = (await operator.get("/admin/queues/csv-export?jobs=2&workers=1")).text
    assert f"in about {duration(one.clears_ms)}" in page and "more at once need more workers" in page
    none = (await operator.get("/admin/queues/csv-export?jobs=0&workers=1")).text
    assert "never: nothing would run" in none
    refused = await operator.get("/admin/queues/csv-export?jobs=many")
    assert refused.status_code == 400 and "Jobs at once is a whole number up to 1,000,000, not many." in refused.text


def test_what_arrives_faster_than_it_is_done_never_ends() -> None:
    growing = Forecast(slots=2, backlog_ms=60_000, load=3.0, mean_run_ms=1_000)
    assert growing.clears_ms is None and "it grows by about 3,600 jobs an hour" in growing.words
    assert Forecast(slots=4, backlog_ms=60_000, load=3.0, mean_run_ms=1_000).clears_ms == 60_000


async def test_keys_that_jobs_wait_for_stand_on_the_queue_s_page(operator: Client, made: Maker) -> None:
    limited = dataclasses.replace(made_type(), one_at_a_time="file_id")
    running = await made.active(limited)
    waiting = [await made.queued(limited) for _ in range(2)]
    page = (await operator.get("/admin/queues/pdf-processing")).text
    assert "Keys that jobs wait for" in page and "pdf-ocr, file_id file-1" in page and "1 at a time" in page
    assert f"/admin/jobs/{waiting[0]}" in page
    page = (await operator.get(f"/admin/jobs/{waiting[0]}")).text
    assert "Waits for the pdf-ocr job of file_id file-1 before it: one runs at a time" in page
    assert f"It is held by {running.id}." in page
    await made.completed(running)
    assert f"It is held by {running.id}" not in (await operator.get(f"/admin/jobs/{waiting[0]}")).text


async def test_a_breaker_stands_on_the_page_in_the_audit_and_is_closed_there(operator: Client, made: Maker) -> None:
    store = Store(made.services.redis, breakers=BreakerBounds(2, 60_000))
    for _ in range(2):
        job = await made.active()
        outcome = Outcome(job.id, job.queue, job.fence, OutcomeKind.RETRY, fingerprint="down", problem="no answer")
        await store.settled([outcome])
    page = (await operator.get("/admin/queues/pdf-processing")).text
    assert "Paused" in page and "by breaker" in page and "2 jobs in a row failed with one error" in page

    async def written() -> bool:
        lines = (await made.services.audit.page(AuditFilter(target="pdf-processing"))).events
        return "queue.breaker-opened" in {line.action for line in lines}

    await wait_until_async(written)
    await act(operator, "/admin/queues/pdf-processing/lift", kind="pause")
    assert await made.store.controls.holds("pdf-processing") == {}
