"""The list of jobs, and its filter."""

import re
from typing import Any

import pytest
from jinja2 import Template

from dashboard.jobs.filters import Filter, from_address, from_input, from_text
from service.engine.job_query import as_text
from service.engine.store import JobFilter, listing
from service.lib.clock import now_ms
from settings import Queue
from tests.dashboard.conftest import VIEWER, Client
from tests.dashboard.documents import picture, pictured, stored
from tests.dashboard.made import Anything, Maker, made_type

EXPORT = made_type("csv-export", Queue.CSV_EXPORT)


async def test_rows_stand_newest_first_with_state_and_tries(operator: Client, made: Maker) -> None:
    first = await made.queued()
    second = await made.failed(await made.active(EXPORT), error="the table is gone")
    page = (await operator.get("/admin/jobs")).text
    assert page.index(f'id="row-{second}"') < page.index(f'id="row-{first}"')
    row = page.split(f'id="row-{second}"')[1].split("</tr>")[0]
    assert "state-failed" in row and "the table is gone" in row and "1/2" in row


async def test_every_filter_is_in_the_address(operator: Client, made: Maker) -> None:
    acme = await made.queued(EXPORT, owner="acme")
    globex = await made.queued(EXPORT, owner="globex")
    pdf = await made.queued(payload=Anything(file_id="file-77"))
    for address, shown in {
        "?owner=globex": {globex},
        "?queue=csv-export": {acme, globex},
        "?type=pdf-ocr": {pdf},
        "?status=queued&queue=pdf-processing": {pdf},
        "?status=failed": set(),
        "?file_id=file-77": {pdf},
        "?file_id=file-77&owner=globex": set(),
    }.items():
        page = (await operator.get(f"/admin/jobs{address}")).text
        assert {job for job in (acme, globex, pdf) if f'id="row-{job}"' in page} == shown, address


@pytest.mark.parametrize(
    ("words", "leads_to"),
    [
        ("state:failed", "/admin/jobs?status=failed"),
        ("failed csv-export", "/admin/jobs?status=failed&queue=csv-export"),
        ("task:pdf-ocr owner:acme", "/admin/jobs?type=pdf-ocr&owner=acme"),
        ("file_id:file-1", "/admin/jobs?file_id=file-1"),
        ("took:>30s failed", "/admin/jobs?status=failed&where=took%3A%3E30s"),
        ("state:failed,expired -queue:media", "/admin/jobs?where=state%3Afailed%2Cexpired+-queue%3Amedia"),
    ],
)
async def test_what_is_typed_becomes_an_address(operator: Client, words: str, leads_to: str) -> None:
    answer = await operator.get("/admin/jobs", params={"q": words})
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


async def test_typing_an_id_leads_to_the_job(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    answer = await operator.get("/admin/jobs", params={"q": f" {job_id} "})
    assert answer.headers["location"] == f"/admin/jobs/{job_id}"


async def test_words_that_mean_nothing_are_named_and_stay_in_the_box(operator: Client, made: Maker) -> None:
    export = await made.queued(EXPORT)
    pdf = await made.queued()
    answer = await operator.get("/admin/jobs", params={"q": "<b>colour</b>", "queue": "csv-export"})
    assert answer.status_code == 200, "the list stays: a slip in a filter is not an error of the page"
    assert "Nothing is called &lt;b&gt;colour&lt;/b&gt;" in answer.text and "<b>colour" not in answer.text
    assert 'value="&lt;b&gt;colour&lt;/b&gt;"' in answer.text and 'aria-invalid="true"' in answer.text
    assert f'id="row-{export}"' in answer.text and f'id="row-{pdf}"' not in answer.text
    live = answer.text.split('hx-get="/admin/jobs/live')[1].split('"')[0].replace("&amp;", "&")
    refreshed = (await operator.get(f"/admin/jobs/live{live}")).text
    assert "Nothing is called" in refreshed and 'value="&lt;b&gt;colour&lt;/b&gt;"' in refreshed


async def test_files_are_named_linked_and_found_by_name_and_by_id(operator: Client, made: Maker) -> None:
    lease, again = await stored(made, "Lease of Müller.png"), await stored(made, "lease of müller (2).png")
    receipt = await stored(made, "receipt.png")
    jobs = {one.file_id: await made.queued(payload=Anything(file_id=one.file_id)) for one in (lease, again, receipt)}
    page = (await operator.get("/admin/jobs")).text
    for one in (lease, again, receipt):
        row = page.split(f'id="row-{jobs[one.file_id]}"')[1].split("</tr>")[0]
        assert f'href="/admin/documents/{one.file_id}">{one.name}</a>' in row
    job_page = (await operator.get(f"/admin/jobs/{jobs[lease.file_id]}")).text
    assert f'href="/admin/documents/{lease.file_id}">Lease of Müller.png</a>' in job_page

    for words, shown in {
        receipt.file_id: {receipt.file_id},
        "receipt.png": {receipt.file_id},
        "LEASE of müller": {lease.file_id, again.file_id},
        'file:"lease of" state:queued': {lease.file_id, again.file_id},
        "müller failed": set(),
    }.items():
        found = await operator.get("/admin/jobs", params={"q": words}, follow_redirects=True)
        assert {one for one in jobs if f'id="row-{jobs[one]}"' in found.text} == shown, words


async def test_the_page_of_a_job_shows_the_first_page_of_its_document(operator: Client, made: Maker) -> None:
    # Bytes of its own: thumbnails are kept by the bytes, and another test may have made them for those of all.
    document = await stored(made, "scan.png", data=picture("olive"))
    job_id = await made.queued(payload=Anything(file_id=document.file_id))
    assert "document-picture" not in (await operator.get(f"/admin/jobs/{job_id}")).text
    await pictured(made, document)
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    address = page.split('class="document-picture"')[1].split('src="')[1].split('"')[0].replace("&amp;", "&")
    assert (await operator.get(address)).headers["content-type"] == "image/webp"


async def test_a_viewer_reads_no_names_of_files(viewer: Client, made: Maker) -> None:
    document = await stored(made, "Diagnosis of Ada.png")
    job_id = await made.queued(payload=Anything(file_id=document.file_id))
    for address in ("/admin/jobs", f"/admin/jobs/{job_id}", "/admin/queues"):
        assert "Diagnosis" not in (await viewer.get(address)).text, address
    guessed = await viewer.get("/admin/jobs", params={"q": "Diagnosis"})
    assert guessed.status_code == 200 and "Nothing is called Diagnosis" in guessed.text


async def test_a_row_says_what_a_completed_job_lacks(operator: Client, made: Maker) -> None:
    lacking = "Completed, 1 of 2 pages not read (1)"
    incomplete = await made.completed(await made.active(), message=lacking, tags=["doubtful", "incomplete"])
    whole = await made.completed(await made.active())
    page = (await operator.get("/admin/jobs?tag=incomplete")).text
    assert f'id="row-{incomplete}"' in page and lacking in page and f'id="row-{whole}"' not in page


async def test_a_waiting_row_says_that_its_queue_is_paused(operator: Client, made: Maker) -> None:
    await made.queued()
    await made.store.controls.set(
        "pdf-processing", "pause", reason="the disk is full", by="ada", until_ms=now_ms() + 600_500
    )
    await made.queued(EXPORT)
    page = (await operator.get("/admin/jobs")).text
    assert page.count("ada paused pdf-processing for another 10 min: the disk is full") == 1
    assert "paused csv-export" not in page


def test_what_is_typed_is_added_to_what_is_chosen() -> None:
    chosen = Filter(queue="csv-export")
    typed = from_input("failed what", chosen)
    assert (typed.filter, typed.words, typed.problems) == (Filter(status="failed", queue="csv-export"), ["what"], [])


def test_a_typed_condition_takes_the_place_of_one_of_the_same_key() -> None:
    several = from_input("state:failed,expired error:a", Filter(status="queued")).filter
    assert (several.status, as_text(several.more)) == (None, "state:failed,expired error:a")
    one = from_input("state:active error:b -queue:media", several).filter
    assert (one.status, as_text(one.more)) == ("active", "error:a error:b -queue:media")
    assert from_text(as_text(one.terms())).address() == one.address()
    contradiction = from_text("state:failed state:queued")
    assert (contradiction.status, as_text(contradiction.more)) == (None, "state:failed state:queued")


def test_a_state_that_does_not_exist_is_no_filter() -> None:
    assert from_address({"status": "sleeping", "utm_source": "mail"}) == Filter()


def test_each_chip_leads_to_the_address_without_it() -> None:
    chips = Filter(status="failed", queue="csv-export").chips()
    assert [(chip.words, chip.without) for chip in chips] == [
        ("state: failed", "/admin/jobs?queue=csv-export"),
        ("queue: csv-export", "/admin/jobs?status=failed"),
    ]


async def test_pages_follow_each_other_without_a_gap(operator: Client, made: Maker) -> None:
    made_ids = {await made.queued() for _ in range(53)}
    first = (await operator.get("/admin/jobs")).text
    older = first.split("cursor=")[-1].split('"')[0]
    second = (await operator.get(f"/admin/jobs?cursor={older}")).text
    on_first = {job_id for job_id in made_ids if f'id="row-{job_id}"' in first}
    on_second = {job_id for job_id in made_ids if f'id="row-{job_id}"' in second}
    assert len(on_first) == 50 and on_first | on_second == made_ids and not on_first & on_second


async def test_a_cursor_that_is_none_of_ours_is_refused(operator: Client) -> None:
    answer = await operator.get("/admin/jobs?cursor=zzz")
    assert answer.status_code == 400 and "Cursor &#39;zzz&#39;" in answer.text


async def test_a_refresh_keeps_the_rows_where_they_stand_and_counts_the_new(operator: Client, made: Maker) -> None:
    first, second = await made.queued(), await made.queued()
    page = (await operator.get("/admin/jobs")).text
    live = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    arrived = await made.queued()
    await made.store.cancel(first)
    fragment = (await operator.get(live)).text
    assert fragment.index(f'id="row-{second}"') < fragment.index(f'id="row-{first}"')
    assert f'id="row-{arrived}"' not in fragment and "1 new job: show" in fragment
    assert "state-cancelled" in fragment.split(f'id="row-{first}"')[1].split("</tr>")[0]


async def test_personal_fields_are_masked_for_a_viewer(operator: Client, made: Maker) -> None:
    job_id = await made.queued(made_type("newsletter"), payload=Anything(email="ada@example.com"))
    for address in ("/admin/jobs", f"/admin/jobs/{job_id}"):
        assert "ada@example.com" in (await operator.get(address)).text
    operator.auth = VIEWER
    for address in ("/admin/jobs", f"/admin/jobs/{job_id}"):
        assert "ada@example.com" not in (await operator.get(address)).text


async def test_hostile_words_are_text(operator: Client, made: Maker) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    job_id = await made.failed(await made.active(payload=Anything(file_id=evil)), error=evil, traceback=evil)
    for address in ("/admin/jobs", "/admin/queues", f"/admin/jobs/{job_id}"):
        page = (await operator.get(address)).text
        assert "<script>alert" not in page and "<img" not in page and "&lt;script&gt;" in page


async def test_an_empty_list_says_why(operator: Client, made: Maker) -> None:
    assert "No jobs yet" in (await operator.get("/admin/jobs")).text
    assert "Nothing waits for a decision" in (await operator.get("/admin/jobs?status=failed")).text
    assert "No job fits this filter" in (await operator.get("/admin/jobs?owner=initech")).text


async def test_several_filters_together_find_what_fits_them_all(operator: Client, made: Maker) -> None:
    wanted = [await made.failed(await made.active(owner="globex")) for _ in range(3)]
    await made.failed(await made.active(owner="acme"))
    await made.completed(await made.active(owner="globex"))
    await made.failed(await made.active(EXPORT, owner="globex"))
    for address in (
        "owner=globex&status=failed&queue=pdf-processing",
        "owner=globex&status=failed&type=pdf-ocr&file_id=file-1",
    ):
        page = (await operator.get(f"/admin/jobs?{address}")).text
        assert re.findall(r'id="row-([^"]+)"', page) == wanted[::-1], address
    only = await made.store.page(JobFilter(queue="csv-export", search=("file_id", "file-1")))
    assert [job.type for job in only.jobs] == ["csv-export"]
    first = await made.store.page(JobFilter(owner="globex", search=("file_id", "file-1")), limit=2)
    rest = await made.store.page(
        JobFilter(owner="globex", search=("file_id", "file-1")), limit=10, cursor=first.next_cursor
    )
    assert len(first.jobs) == 2 and len(rest.jobs) == 3 and rest.next_cursor is None
    assert await made.store.newer(JobFilter(owner="globex"), first.jobs[1].stamp, 50) == 1


async def test_a_list_that_could_not_look_at_all_says_so_and_goes_on(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "EXAMINED_MAX", 2)
    wanted = await made.failed(await made.active(), error="The disk is full")
    for _ in range(3):
        await made.queued()
    page = (await operator.get("/admin/jobs", params={"where": "error:disk"})).text
    assert "Looked at the newest 2 of 4 jobs that may fit." in " ".join(page.split())
    assert "None of the jobs that were looked at fits" in page and "No job fits" not in page
    live = page.split('hx-get="/admin/jobs/live')[1].split('"')[0].replace("&amp;", "&")
    refreshed = (await operator.get(f"/admin/jobs/live{live}")).text
    assert "Looked at the newest 2 of 4 jobs that may fit." in " ".join(refreshed.split())
    on = page.split('id="filter-partial"')[1].split('<a href="')[1].split('"')[0].replace("&amp;", "&")
    assert f'id="row-{wanted}"' in (await operator.get(on)).text


async def test_what_a_filter_cannot_mean_is_named_over_the_list(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    page = (await operator.get("/admin/jobs", params={"where": "colour:red state:queued", "queue": "gone"})).text
    assert "A part of this filter is left out. There is no key colour" in page
    assert "There is no queue gone" in page and "It may have been removed." in page and f"row-{job_id}" not in page
    typed = (await operator.get("/admin/jobs", params={"q": "state:fialed"})).text
    assert "There is no state fialed: do you mean failed?" in typed and 'value="state:fialed"' in typed


@pytest.mark.parametrize("where", ["error:Ada", "-error:Ada", "log:Ada", "-file:Ada", "file:Ada,Bob"])
async def test_a_viewer_cannot_find_out_by_search_what_it_may_not_read(viewer: Client, made: Maker, where: str) -> None:
    await made.failed(await made.active(), error="Ada is not there")
    for path in ("/admin/jobs", "/admin/jobs/live", "/admin/operations/new"):
        answer = await viewer.get(path, params={"where": where, "kind": "retry"})
        assert answer.status_code == 403 and "may not see personal data" in answer.text, path
    typed = await viewer.get("/admin/jobs", params={"q": where})
    assert typed.status_code == 200 and "may not see personal data" in typed.text


async def test_the_language_is_explained(viewer: Client) -> None:
    page = (await viewer.get("/admin/jobs/language")).text
    assert "<h1>Finding jobs</h1>" in page and "created:&gt;2h" in page
    assert 'href="/admin/jobs/language"' in (await viewer.get("/admin/jobs")).text


async def test_a_longer_list_sets_up_no_more_parts_of_its_page(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is included in a row sets up its context and its macros for each: that was two fifths of the list's cost."""
    began: list[str | None] = []
    new_context = Template.new_context

    def counting(template: Template, *args: Any, **more: Any) -> Any:
        began.append(template.name)
        return new_context(template, *args, **more)

    monkeypatch.setattr(Template, "new_context", counting)
    counts = []
    for _ in range(2):
        await made.queued()
        await made.queued()
        began.clear()
        await operator.get("/admin/jobs")
        counts.append(len(began))
    assert counts[0] == counts[1] > 0
