"""Saved views: own and shared, each the address of its filter."""

import re
from collections.abc import AsyncIterator

import pytest
from httpx import Response

from dashboard.jobs import filters
from service.database.saved_views import SHARED, SavedViews
from service.engine.job_query import search_keys
from tests.dashboard.conftest import VIEWER, Client, act
from tests.dashboard.made import Anything, Maker

HOSTILE = '<script>alert(1)</script> "x" & y'


async def act_as_viewer(viewer: Client, path: str, **fields: str) -> Response:
    """A POST with the token of the one page that has a form for viewers."""
    page = (await viewer.get("/admin/views?status=failed")).text
    given = page.split('name="csrf" value="')[1].split('"')[0]
    return await viewer.post(path, data={"csrf": given, **fields})


@pytest.fixture(autouse=True)
async def views(made: Maker) -> AsyncIterator[SavedViews]:
    """The views, none of which another test is to meet."""
    rows = SavedViews(made.services.database)
    yield rows
    for name in ("admin", "viewer"):
        for view in await rows.of(name):
            await rows.delete(view)


async def test_a_filter_is_saved_opened_renamed_and_deleted(
    operator: Client, made: Maker, views: SavedViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A package's job type may have a search key of any name.
    monkeypatch.setattr(filters, "search_keys", lambda: [*search_keys(), "name"])
    job_id = await made.failed(await made.active(), error="The disk is full")
    where = "created:>1h error:disk"
    jobs = (await operator.get("/admin/jobs", params={"status": "failed", "where": where})).text
    form = re.search(r'href="(/admin/views\?[^"]+)"', jobs)
    assert form
    page = (await operator.get(form[1].replace("&amp;", "&"))).text
    assert "<code>state:failed created:&gt;1h error:disk</code>" in page
    saved = await act(operator, "/admin/views", **{"view-name": HOSTILE}, status="failed", where=where)
    assert saved.headers["location"] == "/admin/jobs?status=failed&where=created%3A%3E1h+error%3Adisk"
    listed = (await operator.get(saved.headers["location"])).text
    assert f'id="row-{job_id}"' in listed and "<script>alert" not in listed
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;x&#34; &amp; y" in listed.split('aria-current="true"')[-1]
    palette = (await operator.get("/admin/views/palette")).text
    assert "Jobs: &lt;script&gt;" in palette and "where=created" in palette

    (view,) = await views.of("admin")
    await act(operator, f"/admin/views/{view.id}/rename", name="Full disks")
    assert [one.name for one in await views.of("admin")] == ["Full disks"]
    await act(operator, f"/admin/views/{view.id}/delete")
    assert await views.of("admin") == []
    audit = (await operator.get("/admin/audit")).text
    assert "view.renamed" in audit and "view Full disks: state:failed created:&gt;1h error:…" in audit


async def test_the_jobs_page_opens_with_the_users_default(operator: Client, views: SavedViews) -> None:
    view = await views.save("Failed", "state:failed", user=SHARED, by="admin")
    await act(operator, f"/admin/views/{view.id}/default")
    opened = await operator.get("/admin/jobs")
    assert (opened.status_code, opened.headers["location"]) == (303, "/admin/jobs?status=failed")
    page = (await operator.get("/admin/jobs?status=failed")).text
    assert 'href="/admin/jobs?all=1"' in page, "a way to all jobs that does not lead back"
    assert (await operator.get("/admin/jobs?all=1")).status_code == 200
    operator.auth = VIEWER
    assert (await operator.get("/admin/jobs")).status_code == 200, "a default is one user's"
    operator.auth = None


async def test_a_view_of_what_no_longer_exists_opens_and_says_so(operator: Client, views: SavedViews) -> None:
    for name, text, sentence in (
        ("Key", "state:failed colour:red", "There is no key colour"),
        ("Queue", "queue:gone", "There is no queue gone"),
        ("Task", "task:pdf-read -task:gone", "There is no task pdf-read: do you mean"),
    ):
        await views.save(name, text, user="admin", by="admin")
        page = (await operator.get("/admin/views")).text
        address = page.split(f">{name}</a>")[0].split('href="')[-1].split('"')[0].replace("&amp;", "&")
        opened = await operator.get(address)
        assert opened.status_code == 200 and sentence in opened.text, address


async def test_a_viewer_has_views_of_its_own_and_changes_no_shared_one(
    operator: Client, viewer: Client, views: SavedViews
) -> None:
    shared = await views.save("Waiting", "state:queued", user=SHARED, by="admin")
    private = await views.save("Only mine", "state:queued", user="admin", by="admin")
    await views.save("Names", "file:diagnosis", user=SHARED, by="admin")
    page = (await viewer.get("/admin/views")).text
    assert "Waiting" in page and "Only mine" not in page and "diagnosis" not in page and "Names" not in page
    own = (await act_as_viewer(viewer, "/admin/views", **{"view-name": "Mine"}, status="failed")).headers["location"]
    assert own == "/admin/jobs?status=failed" and "Mine" in (await viewer.get(own)).text
    assert (
        await act_as_viewer(viewer, "/admin/views", **{"view-name": "Ours", "view-shared": "1"}, status="failed")
    ).status_code == 403
    assert (
        await act_as_viewer(viewer, "/admin/views", **{"view-name": "Search"}, where="error:Ada")
    ).status_code == 403
    for verb in ("rename", "delete"):
        assert (await act_as_viewer(viewer, f"/admin/views/{shared.id}/{verb}", name="x")).status_code == 403
        assert (await act_as_viewer(viewer, f"/admin/views/{private.id}/{verb}", name="x")).status_code == 404
    assert (await act_as_viewer(viewer, f"/admin/views/{shared.id}/default")).status_code == 303
    assert [view.name for view in await views.of("viewer")] == ["Mine", "Names", "Waiting"]


async def test_a_name_that_is_refused_stays_in_the_form(operator: Client, views: SavedViews) -> None:
    await act(operator, "/admin/views", **{"view-name": "Failed"}, status="failed")
    again = await act(operator, "/admin/views", **{"view-name": "Failed", "view-shared": ""}, status="failed")
    assert (
        again.status_code == 400 and "There is a view Failed already" in again.text and 'value="Failed"' in again.text
    )
    nothing = await act(operator, "/admin/views", **{"view-name": "All"})
    assert nothing.status_code == 400 and "A view needs a filter" in nothing.text


async def test_views_of_a_state_and_a_queue_are_counted(operator: Client, made: Maker, views: SavedViews) -> None:
    await views.save("Waiting PDFs", "state:queued queue:pdf-processing", user="admin", by="admin")
    await views.save("Long", "took:>1h", user="admin", by="admin")
    for _ in range(3):
        await made.queued(payload=Anything())
    page = " ".join((await operator.get("/admin/jobs?all=1")).text.split())
    assert re.search(r'Waiting PDFs</span><span class="count">3</span>', page)
    assert re.search(r"Long</span></a>", page)
