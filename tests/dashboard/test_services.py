"""External services with their use and their bounds."""

import pytest

from service.engine.external_services import ServiceGate
from service.engine.outcomes import OutcomeKind
from service.engine.store.breakers import BreakerBounds
from service.engine.store.script_inputs import Outcome
from service.monitoring.audit_log import AuditFilter
from tasks.sdk.errors import ServicePaused
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker
from tests.waiting import wait_until_async


async def test_services_stand_with_their_use(viewer: Client, made: Maker) -> None:
    async with made.services.runtime.gate.use("sales-crm", "job-1"):
        page = (await viewer.get("/admin/services")).text
    row = page.partition("sales-crm\n")[2].partition("</tr>")[0]
    assert ">1 " in row and row.count("unlimited") == 2
    mail = page.partition("smtp\n")[2].partition("</tr>")[0]
    assert "of 100" in mail and 'aria-current="page">Services' in page
    assert (await viewer.get("/admin/services/live")).status_code == 200


async def test_a_service_that_fails_says_so_to_operators_and_on_its_jobs(operator: Client, made: Maker) -> None:
    services = made.services
    gate = ServiceGate(services.redis, {}, services.settings.queues, BreakerBounds(1, 60_000))
    job = await made.active()
    with pytest.raises(ServicePaused) as raised:
        async with gate.use("sales-crm", job.id):
            raise ConnectionError("no answer")
    later = Outcome(
        job.id,
        job.queue,
        job.fence,
        OutcomeKind.LATER,
        fields=["message", str(raised.value)],
        delay_ms=round(raised.value.delay_s * 1000),
    )
    await made.store.settled([later])
    page = (await operator.get("/admin/services")).text
    row = page.partition("sales-crm\n")[2].partition("</tr>")[0]
    assert "Paused" in row and "By breaker since" in row and "ConnectionError: no answer" in row and "Open again" in row
    page = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "Is the service sales-crm open?" in page and "Breaker paused it: 1 job failed" in page
    assert 'offload_service_paused{service="sales-crm"} 1.0' in (await operator.get("/metrics")).text

    async def written() -> bool:
        lines = (await services.audit.page(AuditFilter(target="sales-crm"))).events
        return "service.breaker-opened" in {line.action for line in lines}

    await wait_until_async(written)
    await act(operator, "/admin/services/sales-crm/resume")
    row = (await operator.get("/admin/services")).text.partition("sales-crm\n")[2].partition("</tr>")[0]
    assert "Open</span>" in row and "Paused" not in row


async def test_an_operator_pauses_a_service_with_a_reason(operator: Client, made: Maker) -> None:
    async with made.services.runtime.gate.use("sales-crm", "job-1"):
        pass
    answer = await act(operator, "/admin/services/sales-crm/pause", reason="they move house", end="1h")
    page = (await operator.get(answer.headers["location"])).text
    assert "jobs that need it wait" in page and "By admin since" in page and "they move house" in page
    with pytest.raises(ServicePaused, match="admin paused it: they move house"):
        async with made.services.runtime.gate.use("sales-crm", "job-1"):
            raise AssertionError("it is paused")
    assert (await act(operator, "/admin/services/sales-crm/pause", reason=" ", end="")).status_code == 400
    assert (await act(operator, "/admin/services/fax/pause", reason="x", end="")).status_code == 404
    refused = await act(operator, "/admin/services/smtp/pause", reason="x", end="")
    assert refused.status_code == 409 and "paused with its queue, email-sender" in refused.text
