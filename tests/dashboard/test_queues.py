"""The first page."""

import re
from typing import Any

import msgspec
import pytest

from dashboard.queues.row import QueueRow
from service.engine.states import State
from service.engine.store import keys
from service.lib.clock import now_ms
from service.monitoring.alerts import AlertStatus
from service.monitoring.alerts.keys import ALERTS
from service.monitoring.metrics import Figures
from settings import Queue
from tests.dashboard.conftest import Client, token
from tests.dashboard.made import Maker, made_type
from tests.waiting import wait_until_async


async def test_the_way_in_leads_to_the_queues(operator: Client) -> None:
    for address in ("/", "/admin"):
        answer = await operator.get(address)
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/queues")


async def test_the_four_queues_stand_with_their_counts(operator: Client, made: Maker) -> None:
    for _ in range(3):
        await made.queued(made_type("csv-export", Queue.CSV_EXPORT))
    page = (await operator.get("/admin/queues")).text
    for queue in Queue:
        assert f'id="queue-{queue}"' in page
    row = page.split('id="queue-csv-export"')[1].split("</tr>")[0]
    assert re.search(r'status=queued">3</a>', row)


async def test_work_without_a_worker_is_called_stuck(operator: Client, made: Maker) -> None:
    await made.queued(made_type("email-batch", Queue.EMAIL_SENDER))
    page = (await operator.get("/admin/queues/live")).text
    assert "Stuck" in page and "email-sender has no worker and 1 job to do" in page


async def test_failed_jobs_are_said_to_wait_for_a_decision(operator: Client, made: Maker) -> None:
    await made.worker()
    await made.failed(await made.active(), error="This PDF needs a password.")
    page = (await operator.get("/admin/queues/live")).text
    assert "Failed jobs wait for a decision" in page and "1 in pdf-processing" in page
    assert "This PDF needs a password." in page


async def test_why_a_queue_fails_stands_beside_it(operator: Client, made: Maker) -> None:
    await made.failed(await made.active(), error="This <b>PDF</b> needs a password.")
    seldom = await made.failed(await made.active(), error="The page is torn.")
    page = (await operator.get("/admin/queues/live")).text
    causes = page.split('id="causes-pdf-processing"')[1].split("</tr>")[0]
    assert "1 × This &lt;b&gt;PDF&lt;/b&gt; needs a password." in causes and "1 × The page is torn." in causes
    assert 'id="causes-csv-export"' not in page
    job = await made.store.present(seldom)
    await made.store.error_groups.live(job.fingerprint or "", "ignored")

    async def left_out() -> bool:
        return "1 × The page is torn." not in (await operator.get("/admin/queues/live")).text

    await wait_until_async(left_out)


async def test_how_long_the_longest_has_waited_counts_from_when_it_was_ready(made: Maker) -> None:
    assert (await made.store.waiting_since_ms())["csv-export"] is None
    jobs = [await made.queued(made_type("csv-export", Queue.CSV_EXPORT)) for _ in range(3)]
    for job_id, ready_ms in zip(jobs, (5_000, 1_000, 9_000), strict=True):
        await made.store.redis.hset(keys.job(job_id), "ready_ms", ready_ms)
    since = await made.store.waiting_since_ms()
    assert since == dict.fromkeys(map(str, Queue)) | {"csv-export": 1_000}


async def test_a_worker_that_fell_silent_is_reported(operator: Client, made: Maker) -> None:
    await made.worker(silent_ms=60_000)
    assert "1 worker stopped reporting" in (await operator.get("/admin/queues/live")).text


async def test_all_well_says_who_is_there(operator: Client, made: Maker) -> None:
    await made.worker()
    await made.active()
    page = (await operator.get("/admin/queues/live")).text
    assert "All well" in page and "1 worker, 1 running, 0 waiting" in page


async def test_the_health_line_says_since_when_and_where_to_go(operator: Client, made: Maker) -> None:
    await made.store.controls.set("csv-export", "pause", reason="the disk is full", by="ada")
    await made.worker()
    page = (await operator.get("/admin/queues/live")).text
    line = page.split('class="health health-watch"')[1].split("</p>")[0]
    assert "Paused" in line and "since <time" in line and 'href="/admin/queues/csv-export">Resume it</a>' in line


async def test_active_alerts_are_named_on_the_first_page_and_counted_everywhere(operator: Client, made: Maker) -> None:
    alert = AlertStatus(
        "queue-backlog", "csv-export", "firing", 140.0, link="/admin/jobs?queue=csv-export", fired_ms=1_000
    )
    muted = AlertStatus("failure-rate", "csv-export", "firing", 0.5, fired_ms=1_000)
    for one in (alert, muted):
        await made.store.redis.hset(ALERTS, one.key, msgspec.json.encode(one))
    await made.services.alerts.mute("failure-rate", reason="known", by="ada", until_ms=now_ms() + 60_000)
    page = (await operator.get("/admin/queues")).text
    assert "140 jobs wait in csv-export" in page and 'href="/admin/jobs?queue=csv-export">See it</a>' in page
    for address in ("queues", "templates", "jobs", "alerts/count"):
        count = (await operator.get(f"/admin/{address}")).text.split('id="firing-count"')[1].split("</span>")[0]
        assert count.partition(">")[2].startswith("1"), address


def row(**more: Any) -> QueueRow:
    """A queue of ten jobs whose work should take 26 seconds, and of which none has ended in the last hour."""
    given = {
        "name": "csv-export",
        "counts": dict.fromkeys(State, 0) | {State.QUEUED: 10},
        "workers": 1,
        "slots": 1,
        "backlog_ms": 26_000.0,
        "clears_ms": 26_000.0,
        "minutes": [{}] * 60,
        "holds": {},
        "waiting_since_ms": 1_000_000,
        "causes": [],
        "hour": Figures(),
    }
    return QueueRow(**(given | more))


@pytest.mark.parametrize(
    ("more", "at_ms", "stalled_ms"),
    [
        ({}, 1_030_000, None),
        ({}, 1_240_000, 240_000),
        ({"minutes": [{}] * 57 + [{"completed": 1}, {}, {}]}, 1_240_000, 120_000),
        ({"minutes": [{}] * 59 + [{"failed": 1}]}, 1_240_000, None),
        ({"clears_ms": 600_000.0}, 1_240_000, None),
        ({"waiting_since_ms": None}, 1_240_000, None),
    ],
)
def test_a_forecast_gives_way_to_the_fact_that_nothing_ends(
    more: dict[str, Any], at_ms: int, stalled_ms: int | None
) -> None:
    assert row(**more).stalled_ms(at_ms) == stalled_ms


async def test_throughput_counts_what_ended(operator: Client, made: Maker) -> None:
    await made.completed(await made.active())
    await made.failed(await made.active())
    page = (await operator.get("/admin/queues/live")).text
    assert "1 completed, 1 failed, at most 1 completed in one minute" in page


async def test_twenty_viewers_cost_one_computation(operator: Client, made: Maker) -> None:
    async def commands() -> int:
        stats = await made.services.redis.info("commandstats")
        return int(stats.get("cmdstat_zcard", {}).get("calls", 0))

    await made.queued()
    await operator.get("/admin/queues/live")
    one = await commands()
    for _ in range(20):
        await operator.get("/admin/queues/live")
    assert await commands() < 21 * one


async def test_the_fragment_is_the_part_of_the_page_that_it_replaces(operator: Client, made: Maker) -> None:
    fragment = (await operator.get("/admin/queues/live")).text
    assert fragment.lstrip().startswith('<div id="overview"')
    assert "<html" not in fragment and "upload" not in fragment


async def test_a_file_that_is_no_document_is_refused_with_a_sentence(operator: Client) -> None:
    answer = await operator.post(
        "/admin/queues/pdf-processing/upload",
        data={"csrf": await token(operator), "priority": "high"},
        files={"file": ("notes.pdf", b"just some text")},
    )
    assert answer.status_code == 415
    assert "notes.pdf is a text file, which is not read here; send " in answer.text


async def test_an_upload_starts_a_job(operator: Client, made: Maker, scan: bytes) -> None:
    answer = await operator.post(
        "/admin/queues/pdf-processing/upload",
        data={"csrf": await token(operator), "priority": "high"},
        files={"file": ("scan.png", scan)},
    )
    assert answer.status_code == 303
    job_id = answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0]
    job = await made.store.present(job_id)
    assert (job.type, job.priority, job.owner, job.units) == ("pdf-ocr", "high", "dashboard:admin", 1)
    document = await made.services.files.describe(job.payload["file_id"], job.owner)
    assert (document.name, document.bytes) == ("scan.png", len(scan))
    page = await operator.get(answer.headers["location"])
    assert "The document is in" in page.text


async def test_a_form_without_its_token_keeps_no_file(operator: Client, made: Maker, scan: bytes) -> None:
    before = await made.services.storage.list("documents/")
    answer = await operator.post("/admin/queues/pdf-processing/upload", files={"file": ("scan.png", scan)})
    assert answer.status_code == 403
    assert (await made.store.list()).jobs == []
    assert await made.services.storage.list("documents/") == before


async def test_an_unknown_priority_is_named(operator: Client, scan: bytes) -> None:
    answer = await operator.post(
        "/admin/queues/pdf-processing/upload",
        data={"csrf": await token(operator), "priority": "urgent"},
        files={"file": ("scan.png", scan)},
    )
    assert answer.status_code == 400
    assert "There is no priority urgent" in answer.text
