"""The same work again: a copy, or the payload changed by hand; who may, and how the two jobs name each other."""

import pytest
from httpx import Response

from service.engine.states import State
from service.monitoring.audit_log import AuditFilter
from settings import Queue
from tasks.csv_export import Export
from tasks.sdk.types import REGISTRY
from tests.dashboard.conftest import OPERATOR, VIEWER, Client, act, token
from tests.dashboard.made import Anything, Maker, made_type
from tests.dashboard.test_new_job import MULTIPART, multipart

EXPORT = REGISTRY["csv-export"]


async def failed_export(made: Maker) -> str:
    payload = Export(dataset="jobs", query_params={"type": "pdf-ocr"}, columns=["job_id", "type"], gzip=True)
    return await made.failed(await made.active(EXPORT, payload=payload, priority="high"))


def new_id(answer: Response) -> str:
    return answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0]


async def sent(client: Client, job_id: str, **fields: str) -> Response:
    body = multipart({"csrf": await token(client), "priority": "normal", **fields})
    return await client.post(f"/admin/jobs/{job_id}/edit", content=body, headers=MULTIPART)


async def details(made: Maker, action: str) -> list[tuple[str, str, str]]:
    lines = (await made.services.audit.page(AuditFilter(action=action), limit=5)).events
    return [(line.target_id, line.outcome, line.detail) for line in lines]


async def test_a_copy_has_the_same_payload_and_each_names_the_other(operator: Client, made: Maker) -> None:
    job_id = await failed_export(made)
    answer = await act(operator, f"/admin/jobs/{job_id}/copy")
    assert answer.status_code == 303 and answer.headers["location"].endswith("notice=copied")
    old, copy = await made.store.present(job_id), await made.store.present(new_id(answer))
    assert (copy.payload, copy.owner, copy.priority) == (old.payload, old.owner, old.priority)
    assert copy.id != old.id and copy.state is State.QUEUED and old.state is State.FAILED
    assert (
        copy.origin == old.id and f'href="/admin/jobs/{old.id}"' in (await operator.get(f"/admin/jobs/{copy.id}")).text
    )
    assert f'href="/admin/jobs/{copy.id}"' in (await operator.get(f"/admin/jobs/{old.id}")).text
    assert copy.id in (await operator.get(f"/admin/jobs?origin={old.id}")).text
    assert (await details(made, "job.copied"))[0] == (old.id, "done", f"{copy.id} for acme")


async def test_the_form_is_filled_with_the_payload_and_what_is_changed_is_queued(operator: Client, made: Maker) -> None:
    job_id = await failed_export(made)
    page = " ".join((await operator.get(f"/admin/jobs/{job_id}/edit")).text.split())
    assert 'name="columns" value="job_id, type"' in page and ">type: pdf-ocr</textarea>" in page
    assert 'value="yes" checked' in page and '<option value="high" selected' in page and "selected>acme" in page
    fields = {"dataset": "jobs", "columns": "job_id", "format": "csv", "gzip": "yes", "as_owner": "acme"}
    answer = await sent(operator, job_id, **fields, query_params='{"type": "pdf-ocr"}')
    assert answer.status_code == 303, answer.text
    changed = await made.store.present(new_id(answer))
    assert changed.payload["columns"] == ["job_id"] and changed.payload["query_params"] == {"type": "pdf-ocr"}
    assert (changed.origin, changed.owner) == (job_id, "acme")
    assert (await made.store.present(job_id)).state is State.FAILED, "it waits for a decision of its own"
    assert (await details(made, "job.edited"))[0] == (job_id, "done", f"{changed.id} for acme, changed: columns")


async def test_a_wrong_field_is_named_and_nothing_is_lost(operator: Client, made: Maker) -> None:
    job_id = await failed_export(made)
    answer = await sent(operator, job_id, dataset="jobs", columns="no_such", as_owner="acme")
    assert answer.status_code == 400 and 'id="wrong-columns"' in answer.text and "no_such" in answer.text
    assert f'action="/admin/jobs/{job_id}/edit"' in answer.text
    assert len((await made.store.list(type="csv-export")).jobs) == 1
    assert (await details(made, "job.edited"))[0][1] == "refused"


async def test_a_viewer_is_refused_the_form_its_values_and_both_actions(anybody: Client, made: Maker) -> None:
    job_id = await made.failed(await made.active(payload=Anything(email="ada@example.com")))
    anybody.auth = OPERATOR
    given = await token(anybody)
    anybody.auth = VIEWER
    page = (await anybody.get(f"/admin/jobs/{job_id}")).text
    assert "/edit" not in page and "/copy" not in page and "ada@example.com" not in page
    form = await anybody.get(f"/admin/jobs/{job_id}/edit")
    assert form.status_code == 403 and "ada@example.com" not in form.text
    for action, kwargs in (
        ("copy", {"data": {"csrf": given}}),
        ("edit", {"content": multipart({"csrf": given}), "headers": MULTIPART}),
    ):
        assert (await anybody.post(f"/admin/jobs/{job_id}/{action}", **kwargs)).status_code == 403  # type: ignore[arg-type]  # any form
    assert len((await made.store.list()).jobs) == 1


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("part", "is a part of"), ("private", "cannot be started by hand"), ("strange", "none that this release knows")],
)
async def test_what_cannot_be_repeated_says_so(operator: Client, made: Maker, kind: str, sentence: str) -> None:
    private = made_type("weekly-report", Queue.CSV_EXPORT)
    job_id = await made.failed(await made.active(private if kind == "private" else made_type()))
    if kind == "part":
        await made.store.redis.hset(f"offload:job:{job_id}", "parent", "pdf-ocr-whole")
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert (f"{job_id}/copy" in page) is (kind == "strange")
    answer = await act(operator, f"/admin/jobs/{job_id}/copy")
    assert answer.status_code == 409 and sentence in answer.text


async def test_a_payload_too_long_for_a_form_is_copied_instead(operator: Client, made: Maker) -> None:
    payload = Export(dataset="jobs", query_params={"search": "x" * 20_000})
    job_id = await made.failed(await made.active(EXPORT, payload=payload))
    form = await operator.get(f"/admin/jobs/{job_id}/edit")
    assert form.status_code == 409 and "query_params is too long to be edited in a form" in form.text
