"""One job's page, and what may be done there."""

import html
import re
from datetime import UTC, datetime

import msgspec
import pytest

from dashboard.jobs.timeline import steps
from service.engine.states import State
from service.engine.store import Job, keys
from service.engine.store.script_inputs import Outcome, new_job
from service.engine.terms import Terms
from service.lib.clock import now_ms
from service.monitoring.audit_log import AuditFilter
from settings import Queue
from tasks.sdk.types import Meter
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Anything, Maker, made_type

TEXT = "Linn is an extremely powerful yet amazingly simple language.\n"


async def test_a_running_job_shows_its_bar_and_asks_to_be_followed(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    answer = await operator.get(f"/admin/jobs/{job.id}")
    assert '<progress class="large" max="100" value="67"' in " ".join(answer.text.split())
    assert "Processing page 134 of 200 (67%)" in answer.text and "Pages processed" in answer.text
    live = await operator.get(f"/admin/jobs/{job.id}/live")
    assert live.status_code == 200 and 'value="67"' in live.text and "<html" not in live.text


async def test_the_page_and_the_refresh_show_a_job_alike(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active(), {"text.txt": (TEXT.encode(), "text/plain")})
    page, live = await operator.get(f"/admin/jobs/{job_id}"), await operator.get(f"/admin/jobs/{job_id}/live")
    assert live.text.strip() in page.text


async def test_a_job_names_those_that_began_with_its_completion(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.services.redis.hset(keys.job(job.id), "next_jobs", '["mail-file-1","mail-file-2"]')
    page = (await operator.get(f"/admin/jobs/{await made.completed(job)}")).text
    assert "Began with its end" in page and 'href="/admin/jobs/mail-file-2"' in page


async def test_following_ends_with_the_job(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active())
    live = await operator.get(f"/admin/jobs/{job_id}/live")
    assert live.status_code == 286, "the status by which htmx stops a poll"
    assert "data-live" not in live.text


async def test_attempts_stand_newest_first_with_error_and_traceback(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.failed(job, error="ValueError: no such page", traceback="Traceback (most recent call last):\n  File …")
    page = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "ValueError: no such page" in page and "Traceback (most recent call last)" in page
    assert "pdf-processing:host:1" in page and "1/3 tries used" in page


async def test_what_no_retry_can_mend_is_edited_first(operator: Client, made: Maker) -> None:
    job_id = await made.failed(await made.active())
    page = " ".join((await operator.get(f"/admin/jobs/{job_id}")).text.split())
    assert "Cannot be retried as it is" in page and "No attempt is left" not in page
    actions = page.partition('class="actions"')[2]
    assert actions.index("Edit and retry…") < actions.index("Retry anyway…")
    assert f'class="button primary" href="/admin/jobs/{job_id}/edit"' in actions


async def test_a_job_that_used_up_its_tries_is_retried_first(operator: Client, made: Maker) -> None:
    job = await made.active()
    fields = ["error", "OSError: no space", "error_type", "OSError", "message", "OSError: no space"]
    await made.store.settled([Outcome(job.id, job.queue, job.fence, "failed", fields=fields)])
    page = " ".join((await operator.get(f"/admin/jobs/{job.id}")).text.split())
    assert "No attempt is left" in page and "Cannot be retried" not in page
    actions = page.partition('class="actions"')[2]
    assert actions.index("Retry…") < actions.index("Edit and retry…")


async def test_text_is_previewed_and_files_are_downloaded(operator: Client, made: Maker) -> None:
    files = {"text.txt": (TEXT.encode(), "text/plain"), "pages.json": (b"{}", "application/json")}
    job_id = await made.completed(await made.active(), files, result={"pages": 1})
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert TEXT.strip() in page and "pages.json" in page
    file = await operator.get(f"/admin/jobs/{job_id}/files/text.txt")
    assert (file.status_code, file.text) == (200, TEXT)
    assert "sandbox" in file.headers["content-security-policy"]
    part = await operator.get(f"/admin/jobs/{job_id}/files/text.txt", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, "Linn")


@pytest.mark.parametrize("path", ["pdf-ocr-nothing", "pdf-ocr-nothing/live", "pdf-ocr-nothing/files/text.txt"])
async def test_a_job_that_is_not_there_is_a_404_in_words(operator: Client, path: str) -> None:
    answer = await operator.get(f"/admin/jobs/{path}")
    assert answer.status_code == 404 and "There is no job pdf-ocr-nothing." in answer.text


async def test_a_file_that_is_not_there_is_a_404_in_words(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active())
    answer = await operator.get(f"/admin/jobs/{job_id}/files/..%2Fsecret")
    assert answer.status_code == 404


async def test_cancel_retry_and_delete(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    cancelled = await act(operator, f"/admin/jobs/{job_id}/cancel")
    assert (cancelled.status_code, cancelled.headers["location"]) == (303, f"/admin/jobs/{job_id}?notice=cancelled")
    assert "Cancelled." in (await operator.get(cancelled.headers["location"])).text

    retried = await act(operator, f"/admin/jobs/{job_id}/retry")
    assert retried.headers["location"].endswith("notice=retried")
    assert (await made.store.present(job_id)).state is State.QUEUED

    await act(operator, f"/admin/jobs/{job_id}/cancel")
    deleted = await act(operator, f"/admin/jobs/{job_id}/delete")
    assert deleted.headers["location"] == f"/admin/jobs/{job_id}?notice=deleted"
    page = (await operator.get(deleted.headers["location"])).text
    assert "In the bin for 15 min more" in page or "In the bin for 14 min" in page
    assert f"{job_id}/delete" not in page and (await made.store.list()).jobs == []

    restored = await act(operator, f"/admin/jobs/{job_id}/restore")
    assert restored.headers["location"].endswith("notice=restored")
    assert [job.id for job in (await made.store.list()).jobs] == [job_id]


async def test_a_deletion_can_be_undone_from_every_page_while_the_job_is_in_the_bin(
    operator: Client, made: Maker
) -> None:
    first, second = await made.completed(await made.active()), await made.completed(await made.active())
    for job_id in (first, second):
        await act(operator, f"/admin/jobs/{job_id}/delete")
    for _ in range(2):
        page = (await operator.get("/admin/workers")).text
        assert page.index(f'action="/admin/jobs/{second}/restore"') < page.index(
            f'action="/admin/jobs/{first}/restore"'
        )
        assert re.search(r"restored for another <span[^>]*>1[45] min", page)
    await act(operator, f"/admin/jobs/{second}/restore")
    page = (await operator.get("/admin/workers")).text
    assert f"{first}/restore" in page and f"{second}/restore" not in page
    await made.store.purged([first])
    assert "/restore" not in (await operator.get("/admin/workers")).text
    operator.auth = VIEWER
    assert "/restore" not in (await operator.get("/admin/workers")).text


async def test_a_running_job_is_asked_to_stop(operator: Client, made: Maker) -> None:
    job = await made.active()
    answer = await act(operator, f"/admin/jobs/{job.id}/cancel")
    assert answer.headers["location"].endswith("notice=cancelling")
    page = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "asked to stop" in page and f"{job.id}/cancel" not in page


@pytest.mark.parametrize(("action", "sentence"), [("retry", "can be retried"), ("delete", "cancel it before deleting")])
async def test_what_the_state_forbids_is_a_409_in_words(
    operator: Client, made: Maker, action: str, sentence: str
) -> None:
    job_id = await made.queued()
    answer = await act(operator, f"/admin/jobs/{job_id}/{action}")
    assert answer.status_code == 409
    assert sentence in answer.text and f'href="/admin/jobs/{job_id}"' in answer.text


async def test_deleting_says_first_what_it_takes_with_it(operator: Client, made: Maker) -> None:
    files = {"text.txt": (b"x", "text/plain"), "pages.json": (b"{}", "application/json")}
    job_id = await made.completed(await made.active(), files)
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert f"Delete {job_id} and its 2 files? It can be restored for 15 minutes." in page


def _job(state: State, **more: int) -> Job:
    return Job("j", "pdf-ocr", "pdf-processing", "acme", state, "normal", {}, 1, created_ms=1_000, **more)


def test_the_way_through_the_states_tells_wait_from_run() -> None:
    done = _job(State.COMPLETED, first_started_ms=4_000, started_ms=4_000, finished_ms=64_000)
    assert [(step.label, step.note) for step in steps(done, 70_000)] == [
        ("Created", "asked for by acme"),
        ("Started", "after waiting 3.0 s"),
        ("Completed", "ran for 1 min"),
    ]


def test_a_job_that_is_retried_late_says_how_long_its_last_attempt_ran() -> None:
    done = _job(State.COMPLETED, first_started_ms=4_000, started_ms=2_000_000, finished_ms=2_002_000, attempt=4)
    assert steps(done, 3_000_000)[-1].note == "ran for 2.0 s in attempt 4"


def test_a_job_for_later_says_when() -> None:
    later = _job(State.SCHEDULED, due_ms=121_000)
    assert [(step.label, step.note) for step in steps(later, 1_000)][1] == ("Starts", "due in 2 min")


def test_a_job_that_was_never_started_says_so() -> None:
    cancelled = _job(State.CANCELLED, finished_ms=2_000)
    assert [step.note for step in steps(cancelled, now_ms())][1] == "never"


async def test_a_waiting_job_says_why(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "No worker of pdf-processing is alive." in page

    await made.worker()
    await made.store.controls.set("pdf-processing", "pause", reason="the disk is full", by="ada")
    await made.store.controls.set("pdf-processing", "limit", 1, reason="easy on the disk", by="ada")
    running = await made.store.counts()
    assert running["pdf-processing"][State.ACTIVE] == 0
    page = (await operator.get(f"/admin/jobs/{job_id}/live")).text
    assert "ada paused pdf-processing until it is resumed: the disk is full" in page
    assert "0 of 1 are running." in page and "2 of 2." in page
    await made.store.controls.remove("pdf-processing", "pause")
    page = (await operator.get(f"/admin/jobs/{job_id}/live")).text
    assert "2 of 2: it starts immediately when it is next." in page and "It is the next." in page


async def test_a_job_of_a_paused_queue_says_the_pause_its_reason_and_its_end(operator: Client, made: Maker) -> None:
    await made.worker()
    job_id = await made.queued()
    await made.store.controls.set(
        "pdf-processing", "pause", reason="the disk is full", by="ada", until_ms=now_ms() + 600_500
    )
    page = (await operator.get(f"/admin/jobs/{job_id}/live")).text
    message = page.split('class="message">')[1].split("<")[0]
    assert message == "ada paused pdf-processing for another 10 min: the disk is full"
    assert "End: not before the pause ends in 10 min" in page
    for promise in ("free worker", "it starts immediately", "It is the next."):
        assert promise not in page, promise


async def reasons(operator: Client, job_id: str) -> str:
    """What the page says of a waiting job, without its markup."""
    page = (await operator.get(f"/admin/jobs/{job_id}/live")).text
    found = page.partition('class="checks"')[2].partition("</ol>")[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found)))


async def test_why_it_waits_names_rate_and_turn_exactly(operator: Client, made: Maker) -> None:
    await made.worker()
    await made.store.controls.set("pdf-processing", "rate", 6, reason="easy on the archive", by="ada")
    ids = [await made.queued() for _ in range(3)]
    assert "It may start now; ada set 6 a minute" in await reasons(operator, ids[0])
    assert "It is the next." in await reasons(operator, ids[0])
    await made.store.redis.hset(keys.queue("pdf-processing"), "rate_next_ms", now_ms() + 9_000)
    reply = await reasons(operator, ids[2])
    found = re.search(r"The next job may start in ([\d.]+) s, this one in ([\d.]+) s; ada set 6 a minute: easy", reply)
    assert found and float(found[2]) - float(found[1]) == 20, reply
    assert "2 ready jobs go first, and acme has 2 older of its own waiting." in reply


async def test_why_it_waits_counts_what_the_claim_counts_under_a_limit(operator: Client, made: Maker) -> None:
    await made.worker(active=1)
    await made.active()
    job_id = await made.queued()
    await made.store.controls.set("pdf-processing", "limit", 1, reason="one by one", by="ada")
    assert "1 of 1 are running; ada set the limit: one by one" in await reasons(operator, job_id)


async def test_why_it_waits_knows_tasks_workers_and_tries(operator: Client, made: Maker) -> None:
    unknown = await made.queued(made_type("from-a-newer-release"))
    assert "This release has no task called from-a-newer-release" in await reasons(operator, unknown)
    await made.store.cancel(unknown)
    await made.worker(stopping=True)
    job = await made.active()
    await made.retrying(job)
    reply = await reasons(operator, job.id)
    assert (
        "try 1 of 3 failed, and the next is due in" in reply and "are quiet or stopping, and take no new job" in reply
    )
    mail = await made.queued(made_type("email-batch", Queue.EMAIL_SENDER))
    assert "of 100 messages a minute the next may go now" in await reasons(operator, mail)


async def test_a_job_whose_parts_all_wait_says_what_they_wait_for(operator: Client, made: Maker) -> None:
    job = await made.active()
    part = new_job(
        made_type("pdf-ocr-pages"), Anything(), job_id=f"{job.id}.1", owner="acme", priority="normal", retries=2,
        cost_ms=1_000, units=10, parent=job.id, part=1,
    )  # fmt: skip
    await made.store.split(job, [part], Meter("{done} of {total}", "done", "total"), 10)
    await made.suspended(job)
    reply = await reasons(operator, job.id)
    assert (
        "1 of 1 still wait, and none is running. The first is part 1:" in reply
        and "No worker of pdf-processing" in reply
    )


async def test_a_job_that_runs_does_not_ask_why_it_waits(operator: Client, made: Maker) -> None:
    job = await made.active()
    assert "Why is this waiting?" not in (await operator.get(f"/admin/jobs/{job.id}")).text


def test_the_end_of_a_held_job_is_not_foretold() -> None:
    assert steps(_job(State.QUEUED), 2_000, held=True)[-1].note == "cannot be foreseen"


async def test_the_terms_of_a_job_are_shown_and_one_that_expired_can_be_retried(operator: Client, made: Maker) -> None:
    at = datetime.fromtimestamp(now_ms() / 1000 + 3600, UTC)
    job_id = await made.queued(terms=Terms(not_after=at, deadline=at))
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "<dt>Not after</dt>" in page and "<dt>Deadline</dt>" in page
    await made.store.redis.hset(keys.job(job_id), "not_after_ms", 1)
    await made.store.redis.zadd(keys.EXPIRING, {job_id: 1})
    await made.store.expired(100)
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "state-expired" in page and "Retry" in page
    listed = (await operator.get("/admin/jobs?status=expired")).text
    assert job_id in listed


async def waits_for_an_answer(made: Maker) -> Job:
    job = await made.active()
    await made.store.awaited(job, "approved", 3_600_000, "May it be sent?", "May it be sent?")
    await made.suspended(job)
    return job


@pytest.mark.parametrize(("decision", "approved"), [("approve", True), ("reject", False)])
async def test_a_person_answers_what_a_job_waits_for(
    operator: Client, made: Maker, decision: str, approved: bool
) -> None:
    job = await waits_for_an_answer(made)
    page = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "May it be sent?" in page and "Not yet: it waits for approved; the job goes on without it in" in page
    where = f"/admin/jobs/{job.id}/answer"
    answer = await act(operator, where, event="approved", decision=decision, comment="by the <b>rules</b>")
    assert answer.headers["location"] == f"/admin/jobs/{job.id}?notice={'approved' if approved else 'rejected'}"
    again = await made.claimed(job)
    body = (await made.store.awaited(again, "approved", 1, "", ""))[1]
    assert msgspec.json.decode(body) == {"approved": approved, "by": "admin", "comment": "by the <b>rules</b>"}
    line = (await made.services.audit.page(AuditFilter(target=job.id))).events[0]
    assert (line.action, line.actor) == ("job.event", "admin") and decision in (line.detail or "")


async def test_an_answer_that_makes_no_sense_is_refused(operator: Client, made: Maker) -> None:
    job = await waits_for_an_answer(made)
    for fields in ({"decision": "maybe"}, {"decision": "approve", "comment": "x" * 501}, {"event": "1"}):
        answer = await act(operator, f"/admin/jobs/{job.id}/answer", **{"event": "approved", "decision": ""} | fields)
        assert answer.status_code == 400
    given = await token(operator)
    operator.auth = VIEWER
    page = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "May it be sent?" in page and "Approve" not in page
    fields = {"csrf": given, "event": "approved", "decision": "approve"}
    assert (await operator.post(f"/admin/jobs/{job.id}/answer", data=fields)).status_code == 403
    assert (await made.store.present(job.id)).waiting_for == "approved"
