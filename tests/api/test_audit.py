"""What a key's owner does to jobs is written down, with who sat at the terminal where that is known."""

import httpx
import pytest

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
    assert [line.action for line in lines] == ["job.deleted", "job.cancelled", "job.retried", "job.cancelled"]
    assert {(line.actor, line.owner, line.role, line.outcome) for line in lines} == {(actor, "acme", "owner", "done")}


def test_the_command_line_is_known_by_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "Zoë (ops)")
    assert terminal_user(user_agent()) == "Zoë (ops)"
    assert terminal_user("curl/8.0 (ada)") is None
