"""The page of a workflow, and its drawing."""

import pytest

from dashboard.workflows.graph import GAP_X, WIDTH, columns_of, drawing
from service.engine.job_requests import JobRequest, Step
from settings import Queue
from tests.dashboard.conftest import Client
from tests.dashboard.made import Anything, Maker, made_type

EXPORT = made_type("csv-export", Queue.CSV_EXPORT)


@pytest.mark.parametrize(
    ("after", "columns"),
    [
        ({"a": []}, [["a"]]),
        ({"b": ["a"], "a": []}, [["a"], ["b"]]),
        ({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}, [["a"], ["b", "c"], ["d"]]),
        # The longest way counts: none stands before one that it waits for.
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, [["a"], ["b"], ["c"]]),
    ],
)
def test_a_job_stands_behind_all_that_it_waits_for(after: dict[str, list[str]], columns: list[list[str]]) -> None:
    assert columns_of(after) == columns
    drawn = drawing(after)
    places = {box.name: box.x for box in drawn.boxes}
    assert all(places[before] + WIDTH + GAP_X <= places[name] for name, names in after.items() for before in names)
    assert len(drawn.lines) == sum(map(len, after.values()))


async def test_a_workflow_is_drawn_and_its_jobs_lead_to_it(operator: Client, viewer: Client, made: Maker) -> None:
    steps = [
        Step("scan <1>", JobRequest(EXPORT, Anything()), ()),
        Step("send", JobRequest(EXPORT, Anything()), ("scan <1>",)),
    ]
    ids = await made.services.enqueuer.enqueue_workflow(
        steps, workflow_id="workflow-1", owner="acme", goes_on=False, key="", fingerprint=""
    )
    page = (await viewer.get("/admin/workflows/workflow-1")).text
    assert page.count("scan &lt;1&gt;") >= 2 and "scan <1>" not in page
    assert all(f'href="/admin/jobs/{job_id}"' in page for job_id in ids.values())
    assert "Waits for others" in page and 'hx-get="/admin/workflows/workflow-1/live"' in page
    job = (await operator.get(f"/admin/jobs/{ids['send']}")).text
    assert 'href="/admin/workflows/workflow-1"' in job and "Not yet: Waits for scan &lt;1&gt;." in job
    for name in ("send", "scan <1>"):
        await made.store.cancel(ids[name])
    ended = await operator.get("/admin/workflows/workflow-1/live")
    assert ended.status_code == 286 and "hx-get" not in ended.text
    assert (await operator.get("/admin/workflows/workflow-2")).status_code == 404
