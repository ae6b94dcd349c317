"""What a key's owner does to jobs is written down, with who sat at the terminal where that is known."""

import io

import httpx
import pytest
from litestar.routes import HTTPRoute
from PIL import Image

from service.api.audit_middleware import AUDIT, NOTHING, READING
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import AuditFilter
from tests.api.conftest import Served


@pytest.mark.parametrize(
    ("agent", "actor"), [("python-httpx/0.28", "acme"), ("offload-cli/0.1.0 (J%C3%BCrgen)", "cli:Jürgen")]
)
async def test_a_job_is_steered_and_the_log_says_by_whom(
    acme: httpx.AsyncClient, served: Served, agent: str, actor: str
) -> None:
    job_id = (await acme.post("/api/jobs/csv-export", json={"dataset": "users", "format": "csv"})).json()["job_id"]
    acme.headers["user-agent"] = agent
    for call in (acme.post(f"/api/jobs/{job_id}/cancel"), acme.post(f"/api/jobs/{job_id}/retry")):
        assert (await call).status_code == 202
    await acme.post(f"/api/jobs/{job_id}/cancel")
    assert (await acme.delete(f"/api/jobs/{job_id}")).status_code == 204
    lines = (await served.services.audit.page(AuditFilter(target=job_id))).events
    assert [line.action for line in lines if line.action != "job.queued"] == [
        "job.deleted", "job.cancelled", "job.retried", "job.cancelled",
    ]  # fmt: skip
    lines = [line for line in lines if line.action != "job.queued"]
    assert {(line.actor, line.owner, line.role, line.outcome) for line in lines} == {(actor, "acme", "owner", "done")}


def test_the_command_line_is_known_by_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "Zoë (ops)")
    assert terminal_user(user_agent()) == "Zoë (ops)"
    assert terminal_user("curl/8.0 (ada)") is None


def test_every_operation_that_changes_something_says_what_it_is_called(served: Served) -> None:
    """Those that are added later too: each stands in the schema, and each change has a name."""
    unnamed, tried = [], 0
    for route in served.app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            changing = set(map(str, handler.http_methods)) - READING
            if route.path.startswith("/api") and changing and handler.resolve_include_in_schema():
                tried += 1
                unnamed += [] if handler.opt.get(AUDIT) else [route.path]
                assert (handler.opt.get(AUDIT) == NOTHING) == route.path.endswith("/preview"), route.path
    assert unnamed == [] and tried > 15


async def test_every_change_is_in_the_log(acme: httpx.AsyncClient, served: Served) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, "PNG")
    upload = {"file": ("a.png", file.getvalue())}
    words = {"name": "a", "subject": "s", "html": "h", "text": "t"}
    export = {"dataset": "users"}
    expected: list[tuple[str, str]] = []

    async def did(action: str, answer: httpx.Response, field: str = "", target: str = "") -> str:
        assert answer.status_code < 300, answer.text
        target = target or answer.json()[field]
        expected.append((action, target))
        return target

    file_id = await did("file.uploaded", await acme.post("/api/files", files=upload), "file_id")
    await did("image.uploaded", await acme.post("/api/images", files=upload), "image_id")
    template_id = await did("template.created", await acme.post("/api/templates", json=words), "template_id")
    await did("template.changed", await acme.put(f"/api/templates/{template_id}", json=words), target=template_id)
    await did("template.deleted", await acme.delete(f"/api/templates/{template_id}"), target=template_id)
    job_id = await did("job.queued", await acme.post("/api/jobs/csv-export", json=export), "job_id")
    many = await acme.post("/api/jobs/batch", json={"jobs": [{"type": "csv-export", "payload": export}] * 2})
    await did("job.queued", many, target=many.json()["jobs"][0]["job_id"])
    await did("ticket.issued", await acme.post(f"/api/jobs/{job_id}/ticket"), target=job_id)
    await did("job.cancelled", await acme.post(f"/api/jobs/{job_id}/cancel"), target=job_id)
    await did("job.deleted", await acme.delete(f"/api/jobs/{job_id}"), target=job_id)
    await did("file.deleted", await acme.delete(f"/api/files/{file_id}"), target=file_id)
    assert (await acme.delete(f"/api/files/{file_id}")).status_code == 404, "what was not done is no line"
    await served.services.audit.close()
    lines = (await served.services.audit.page(AuditFilter(), limit=100)).events
    assert sorted((line.action, line.target_id) for line in lines) == sorted(expected)
    assert {(line.owner, line.actor, line.address) for line in lines} == {("acme", "acme", "127.0.0.1")}
    assert [line.detail[:6] for line in lines if line.detail] == ["2 jobs"]
