"""What was done is written down: by whom, to what, with which filter, and how it ended."""

import re
from html import unescape

import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import delete, text

from dashboard.audit_middleware import ACTION
from service.database.audit import Event
from service.monitoring.audit_log import AuditEntry, AuditFilter, Target
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _empty_log(made: Maker) -> None:
    async with made.services.database.writing() as session:
        await session.execute(delete(Event))


async def lines(made: Maker, **wanted: str) -> list[Event]:
    return list((await made.services.audit.page(AuditFilter(**wanted))).events)


def test_every_action_says_what_it_is_called_in_the_log(served: tuple[Litestar, str]) -> None:
    handlers = [
        handler
        for route in served[0].routes
        # Who signs in is known only to the handler, which writes its own line (session.begun).
        if route.path.startswith("/admin") and route.path != "/admin/sign-in"
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler) and "POST" in handler.http_methods
    ]
    assert len(handlers) > 10
    assert [str(handler) for handler in handlers if ACTION not in handler.opt] == []


async def test_an_action_on_a_job_is_its_owners_to_read(operator: Client, made: Maker) -> None:
    job_id = await made.failed(await made.active(owner="acme"))
    await act(operator, f"/admin/jobs/{job_id}/retry")
    await act(operator, f"/admin/jobs/{job_id}/cancel")
    await act(operator, f"/admin/jobs/{job_id}/delete")
    deleted, cancelled, retried = await lines(made)
    assert [line.action for line in (retried, cancelled, deleted)] == ["job.retried", "job.cancelled", "job.deleted"]
    for line in (retried, cancelled, deleted):
        assert (line.actor, line.role, line.owner, line.outcome) == ("admin", "operator", "acme", "done")
        assert (line.target_type, line.target_id, line.address) == ("job", job_id, "127.0.0.1")


async def test_a_filter_is_written_down_with_its_count(operator: Client, made: Maker) -> None:
    for _ in range(3):
        await made.queued()
    await act(operator, "/admin/operations", kind="cancel", queue="pdf-processing", status="queued")
    (line,) = await lines(made)
    assert line.action == "operation.begun"
    assert "cancel all queued jobs in pdf-processing, 3 in all" in (line.detail or "")


async def test_the_words_of_a_form_are_written_down_but_not_its_token(operator: Client, made: Maker) -> None:
    await act(operator, "/admin/queues/csv-export/steer", kind="pause", reason="the disk is full", end="15m")
    (line,) = await lines(made, target="csv-export")
    assert (line.action, line.detail) == ("queue.steered", "pause: the disk is full; end 15m")


async def test_what_was_refused_is_written_down_as_refused(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    given = await token(operator)
    assert (await act(operator, f"/admin/jobs/{job_id}/retry")).status_code == 409
    operator.auth = VIEWER
    assert (await operator.post(f"/admin/jobs/{job_id}/cancel", data={"csrf": given})).status_code == 403
    by_viewer, by_operator = await lines(made, outcome="refused")
    assert (by_operator.actor, by_operator.action) == ("admin", "job.retried")
    assert (by_viewer.actor, by_viewer.role, by_viewer.action) == ("viewer", "viewer", "job.cancelled")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/admin/jobs/pdf-ocr-gone/status-link/mail", ["hours", "recipient", "subject"]),
        ("/admin/operations", ["kind", "file", "where"]),
        ("/admin/jobs/pdf-ocr-gone/answer", ["answer"]),
        ("/admin/templates/gone/edit", ["subject"]),
    ],
)
async def test_a_refused_form_leaves_the_names_of_its_fields_and_no_text(
    operator: Client, made: Maker, path: str, fields: list[str]
) -> None:
    texts = dict.fromkeys(fields, "ada@example.com of Zaphod")
    assert (await act(operator, path, **texts, **{"Zaphod's": "1"})).status_code in (400, 404)
    assert (await lines(made, outcome="refused"))[0].detail == ", ".join(fields)


async def test_a_token_that_is_missing_leaves_no_text_either(operator: Client, made: Maker) -> None:
    path = f"/admin/jobs/{await made.queued()}/status-link/mail"
    assert (await operator.post(path, data={"recipient": "ada@example.com"})).status_code == 403
    assert "ada" not in ((await lines(made, outcome="refused"))[0].detail or "")


async def test_what_a_key_does_is_written_down_too(anybody: Client, made: Maker) -> None:
    job_id = await made.queued(owner="acme")
    key = {"authorization": "Bearer acme-secret-key-1"}
    for method, path in (("POST", "/cancel"), ("POST", "/retry"), ("POST", "/cancel"), ("DELETE", "")):
        assert (await anybody.request(method, f"/api/jobs/{job_id}{path}", headers=key)).status_code in (202, 204)
    found = [(line.actor, line.role, line.action) for line in await lines(made, target=job_id)]
    assert found[0] == ("acme", "owner", "job.deleted")
    assert [action for _, _, action in found] == ["job.deleted", "job.cancelled", "job.retried", "job.cancelled"]


async def test_the_page_filters_and_pages_without_a_gap(operator: Client, made: Maker) -> None:
    for number in range(60):
        target = Target("job", f"job-{number}")
        await made.services.audit.record(
            AuditEntry(
                actor="ada", role="operator", action="job.retried", target=target, owner="acme", detail="<b>why</b>"
            )
        )
    await made.services.audit.record(
        AuditEntry(actor="bob", role="operator", action="queue.steered", target=Target("queue", "q"), owner="bob")
    )
    first = (await operator.get("/admin/audit?actor=ada")).text
    assert "job-59" in first and ">job-10<" in first and ">job-9<" not in first and "queue.steered" not in first
    assert "&lt;b&gt;why" in first
    page = await made.services.audit.page(AuditFilter(actor="ada"))
    rest = (await operator.get("/admin/audit", params={"actor": "ada", "cursor": page.next_cursor or ""})).text
    assert ">job-9<" in rest and ">job-0<" in rest and ">job-10<" not in rest
    assert (await operator.get("/admin/audit?cursor=nonsense")).status_code == 400


async def test_an_empty_log_says_so(viewer: Client) -> None:
    assert "Nothing was done" in (await viewer.get("/admin/audit")).text


async def test_new_lines_are_counted_and_not_put_among_those_that_are_read(viewer: Client, made: Maker) -> None:
    await recorded(made, "job.retried", "job-1")
    page = (await viewer.get("/admin/audit?action=job.retried")).text
    live = unescape(re.search(r'hx-get="([^"]+)"', page)[1])  # type: ignore[index]  # the page has it, or the test fails
    assert "new line" not in page and "new line" not in (await viewer.get(live)).text
    await recorded(made, "job.retried", "job-2")
    await recorded(made, "job.deleted", "job-2")
    answer = (await viewer.get(live)).text
    assert "1 new line: show" in answer and "/admin/audit?action=job.retried" in answer and "job-2" not in answer
    assert (await viewer.get("/admin/audit/live?since=nowhere")).status_code == 400


async def test_an_empty_page_counts_all_that_come(viewer: Client, made: Maker) -> None:
    live = "/admin/audit/live?since="
    assert "new line" not in (await viewer.get(live)).text
    await recorded(made, "job.retried", "job-1")
    assert "1 new line: show" in (await viewer.get(live)).text


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("column", ["actor", "action", "target_id", "outcome"])
async def test_a_filter_reads_an_index_and_sorts_nothing(made: Maker, column: str) -> None:
    query = (
        f"EXPLAIN QUERY PLAN SELECT * FROM events WHERE {column} = 'x' ORDER BY created_at DESC, event_id DESC LIMIT 51"
    )
    async with made.services.database.reading() as session:
        plan = [row.detail for row in await session.execute(text(query))]
    assert len(plan) == 1 and f"ix_events_{column}_created_at_event_id" in plan[0]


async def recorded(made: Maker, action: str, job_id: str) -> None:
    await made.services.audit.record(
        AuditEntry(actor="admin", role="operator", action=action, target=Target("job", job_id), owner="acme")
    )
