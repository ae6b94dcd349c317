"""Acting on many jobs at once."""

import re

import pytest

from dashboard.jobs.filters import Filter, from_address
from dashboard.operations.selection import Chosen, personal_parts, selection_of, words
from service.engine.states import State
from settings import Queue
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.documents import stored
from tests.dashboard.made import Anything, Maker, made_type
from tests.waiting import wait_until_async

EXPORT = made_type("csv-export", Queue.CSV_EXPORT)


async def followed(operator: Client, address: str, words: str) -> str:
    """The operation's page, once it says so."""

    async def message() -> str:
        page = (await operator.get(address)).text
        return page if words in page else ""

    return await wait_until_async(message)


async def test_a_viewer_is_not_shown_what_an_operation_searched_for(operator: Client, made: Maker) -> None:
    wanted = {"status": "failed", "queue": "csv-export", "file": "lease of Zaphod", "where": 'error:"of Zoë" took:>2s'}
    begun = await act(operator, "/admin/operations", kind="retry", **wanted)
    paths = ("/admin/operations", begun.headers["location"], "/admin/audit")
    pages = [(await operator.get(path)).text for path in paths]
    operator.auth = VIEWER
    for path, shown in zip(paths, pages, strict=True):
        hidden = (await operator.get(path)).text
        assert "lease of Zaphod" in shown and "of Zoë" in shown, path
        assert "Zaphod" not in hidden and "Zoë" not in hidden, path
        assert "all failed jobs in csv-export of •••" in hidden and "took:&gt;2s" in hidden, path


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"queue": "csv-export", "where": "took:>2s"}, []),
        ({"file_id": "file-1"}, []),
        ({"file": "a, b with c"}, ["files with a, b with c in their names"]),
        ({"where": "error:ab -log:cd,ef"}, ["error:ab", "-log:cd,ef"]),
        ({"where": 'error:"a that failed of b"'}, ['error:"a that failed of b"']),
    ],
)
def test_what_is_personal_is_found_in_the_words(fields: dict[str, str], parts: list[str]) -> None:
    phrase = words("retry", Chosen(from_address({"status": "failed", **fields})))
    assert list(personal_parts(phrase)) == parts
    assert list(personal_parts(f"retry-5f: retry {phrase}, 1,200 in all")) == parts


async def test_the_question_is_asked_in_words_and_changes_nothing(operator: Client, made: Maker) -> None:
    failed, waiting = await made.failed(await made.active()), await made.queued()
    answer = await operator.get("/admin/operations/new", params={"kind": "retry", "id": [failed, waiting]})
    assert "Retry 2 chosen jobs?" in answer.text
    assert "1 of them will be passed over: this is for jobs that are failed, cancelled or expired." in answer.text
    assert (await made.store.present(failed)).state is State.FAILED


async def test_a_whole_filter_is_named_and_counted(operator: Client, made: Maker) -> None:
    for _ in range(3):
        await made.queued(EXPORT)
    await made.queued()
    answer = await operator.get("/admin/operations/new?kind=cancel&all=1&queue=csv-export&status=queued&id=x")
    assert "Cancel all queued jobs in csv-export?" in answer.text and "3 now" in answer.text


async def test_an_action_that_fits_none_of_them_is_not_offered(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    answer = await operator.get("/admin/operations/new", params={"kind": "delete", "id": [job_id]})
    assert "None of them can be" in answer.text and 'action="/admin/operations"' not in answer.text


async def test_a_filter_is_carried_out_on_what_stood_there(operator: Client, made: Maker) -> None:
    before = [await made.queued(EXPORT) for _ in range(3)]
    other = await made.queued()
    begun = await act(operator, "/admin/operations", kind="cancel", queue="csv-export", status="queued")
    assert begun.status_code == 303
    later = await made.queued(EXPORT)
    page = await followed(operator, begun.headers["location"], "3 of 3 done")
    assert "Cancel all queued jobs in csv-export" in page and "Begun by admin" in page
    states = {job.id: job.state for job in await made.store.get_many([*before, other, later]) if job}
    assert [states[job_id] for job_id in before] == [State.CANCELLED] * 3
    assert states[other] == states[later] == State.QUEUED
    live = await operator.get(f"{begun.headers['location']}/live")
    assert live.status_code == 286 and "Done" in live.text
    assert "3 of 3" in (await operator.get("/admin/operations")).text


async def test_what_changed_its_state_is_passed_over(operator: Client, made: Maker) -> None:
    failed, waiting = await made.failed(await made.active()), await made.queued()
    begun = await act(operator, "/admin/operations", kind="retry", ids=f"{failed},{waiting}")
    assert "1 of 2 done" in await followed(operator, begun.headers["location"], "1 passed over")


async def test_an_operation_is_aborted(operator: Client, made: Maker) -> None:
    await made.queued()
    begun = await act(operator, "/admin/operations", kind="cancel", status="queued")
    aborted = await act(operator, f"{begun.headers['location']}/abort")
    assert aborted.headers["location"] == begun.headers["location"]
    page = (await operator.get(begun.headers["location"])).text
    assert "Aborted" in page or "Done" in page


async def test_a_deletion_of_many_is_undone_from_any_page(operator: Client, made: Maker) -> None:
    ended = [await made.completed(await made.active()) for _ in range(2)]
    begun = await act(operator, "/admin/operations", kind="delete", ids=",".join(ended))
    here = begun.headers["location"]
    await followed(operator, here, "2 of 2 done")
    page = " ".join((await operator.get("/admin/workers")).text.split())
    assert f'action="{here}/undo"' in page and "2 deleted jobs can be restored for another" in page
    assert (await operator.get(here)).text.count(f'action="{here}/undo"') == 1
    undone = await act(operator, f"{here}/undo")
    assert "Restore 2 chosen jobs" in await followed(operator, undone.headers["location"], "2 of 2 done")
    assert {job.id for job in (await made.store.list()).jobs} == set(ended)
    assert "/undo" not in (await operator.get("/admin/workers")).text
    twice = await act(operator, f"{here}/undo")
    assert twice.status_code == 409 and "can be undone" in twice.text
    log = (await operator.get("/admin/audit")).text
    assert "operation.undone" in log and "restore 2 chosen jobs, 2 in all" in log


async def test_a_cancellation_of_many_is_undone(operator: Client, made: Maker) -> None:
    waiting = await made.queued()
    begun = await act(operator, "/admin/operations", kind="cancel", status="queued")
    await followed(operator, begun.headers["location"], "1 of 1 done")
    assert "1 job that waited can be queued again for another" in " ".join(
        (await operator.get("/admin/queues")).text.split()
    )
    undone = await act(operator, f"{begun.headers['location']}/undo")
    await followed(operator, undone.headers["location"], "1 of 1 done")
    assert (await made.store.present(waiting)).state is State.QUEUED


@pytest.mark.parametrize(
    "path", ["/admin/operations", "/admin/operations/retry-x/abort", "/admin/operations/delete-x/undo"]
)
async def test_a_viewer_begins_and_aborts_nothing(operator: Client, made: Maker, path: str) -> None:
    job_id = await made.queued()
    given = await token(operator)
    operator.auth = VIEWER
    assert (await operator.post(path, data={"csrf": given, "kind": "cancel", "ids": job_id})).status_code == 403
    assert (await made.store.present(job_id)).state is State.QUEUED


async def test_what_is_no_action_is_named(operator: Client) -> None:
    for answer in (
        await operator.get("/admin/operations/new?kind=burn"),
        await act(operator, "/admin/operations", kind="burn"),
    ):
        assert answer.status_code == 400 and "There is no action burn" in answer.text
    assert (await operator.get("/admin/operations/retry-gone")).status_code == 404


async def test_rows_can_be_ticked_by_an_operator_only(operator: Client, made: Maker) -> None:
    job_id = await made.failed(await made.active())
    page = " ".join((await operator.get("/admin/jobs?status=failed")).text.split())
    assert f'value="{job_id}" form="bulk"' in page
    assert re.findall(r'name="kind" value="(\w+)"', page) == ["retry", "delete"], "what failed cannot be cancelled"
    operator.auth = VIEWER
    assert "checkbox" not in (await operator.get("/admin/jobs")).text


def test_a_selection_in_words() -> None:
    assert words("retry", Chosen(ids=("a",))) == "1 chosen job"
    assert words("cancel", Chosen(Filter(type="pdf-ocr", owner="acme"))) == (
        "all queued or scheduled or retrying or active jobs of task pdf-ocr of acme"
    )
    assert (
        words("delete", Chosen(from_address({"status": "failed", "fingerprint": "f"})))
        == "all failed jobs that failed of this cause"
    )
    assert selection_of({"ids": "a,b,a", "queue": "csv-export"}) == Chosen(ids=("a", "b"))


async def test_a_filter_by_a_files_name_acts_on_its_jobs_alone(operator: Client, made: Maker) -> None:
    lease, receipt = await stored(made, "lease.png"), await stored(made, "receipt.png")
    wanted = await made.queued(payload=Anything(file_id=lease.file_id))
    others = [await made.queued(payload=Anything(file_id=receipt.file_id)), await made.queued()]
    requested = await operator.get("/admin/operations/new?kind=cancel&all=1&file=lease.png")
    assert "of files with lease.png in their names" in requested.text and 'name="file" value="lease.png"' in " ".join(
        requested.text.split()
    )
    begun = await act(operator, "/admin/operations", kind="cancel", file="lease.png")
    await followed(operator, begun.headers["location"], "1 of 1 done")
    nothing = await act(operator, "/admin/operations", kind="cancel", file="no such name")
    await followed(operator, nothing.headers["location"], "0 of 0 done")
    states = [job.state for job in await made.store.get_many([wanted, *others]) if job]
    assert states == [State.CANCELLED, State.QUEUED, State.QUEUED]


async def test_an_action_on_a_query_acts_on_exactly_what_it_shows(operator: Client, made: Maker) -> None:
    full = [await made.failed(await made.active(EXPORT, owner=owner), error="The disk is full") for owner in ("a", "b")]
    others = [await made.failed(await made.active(EXPORT), error="no route"), await made.queued(EXPORT)]
    where = 'error:"disk is full" created:>1h -owner:b'
    page = (await operator.get("/admin/jobs", params={"where": where})).text
    assert [job_id for job_id in (*full, *others) if f'id="row-{job_id}"' in page] == full[:1]
    requested = await operator.get("/admin/operations/new", params={"kind": "retry", "all": "1", "where": where})
    assert "that fit error:&#34;disk is full&#34; created:&gt;1h -owner:b" in requested.text
    begun = await act(operator, "/admin/operations", kind="retry", where=where)
    await followed(operator, begun.headers["location"], "1 of 1 done")
    states = [job.state for job in await made.store.get_many([*full, *others]) if job]
    assert states == [State.QUEUED, State.FAILED, State.FAILED, State.QUEUED]


async def test_a_filter_that_cannot_be_read_is_not_acted_on(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    refused = await act(operator, "/admin/operations", kind="cancel", where="colour:red state:queued")
    assert refused.status_code == 400 and "There is no key colour" in refused.text
    assert (await made.store.present(job_id)).state is State.QUEUED
