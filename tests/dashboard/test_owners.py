"""Owners with their plans, and the form that changes them."""

from urllib.parse import quote

import pytest_asyncio
from sqlalchemy import delete

from service.database.owners import Owner
from service.erasure.signed_list import verified
from service.monitoring.audit_log import AuditFilter
from service.monitoring.owner_alerts import Wish
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_plans(made: Maker) -> None:
    async with made.services.database.writing() as session:
        await session.execute(delete(Owner))
    made.services.owners._known.clear()


async def test_owners_are_listed_with_their_use(viewer: Client, made: Maker) -> None:
    await made.services.owners.set("acme", "free", {"queued_jobs": 7}, by="eva")
    page = (await viewer.get("/admin/owners")).text
    assert 'href="/admin/owners/acme"' in page and "with own limits" in page and "of 7</span>" in page
    assert 'href="/admin/owners/globex"' in page
    found = (await viewer.get("/admin/owners?search=GLOB")).text
    assert 'href="/admin/owners/globex"' in found and 'href="/admin/owners/acme"' not in found
    assert "No owner that fits" in (await viewer.get("/admin/owners?search=nobody")).text


async def test_many_owners_come_in_pages(viewer: Client, made: Maker) -> None:
    for number in range(51):
        await made.services.owners.set(f"many-{number:02}", "free", {}, by="eva")
    page = (await viewer.get("/admin/owners?search=many")).text
    assert "many-49" in page and "many-50" not in page and "?search=many&amp;after=many-49" in page
    last = (await viewer.get("/admin/owners?search=many&after=many-49")).text
    assert "many-50" in last and "many-49" not in last.partition("<table")[2] and "First" in last


async def test_a_change_holds_and_is_audited(operator: Client, made: Maker) -> None:
    fields = {"plan": "free", "pages_per_month": "50,000", "stored_bytes": "none", "weight": "2.5", "priority": "low"}
    answer = await act(operator, "/admin/owners/acme", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/owners/acme?notice=owner-saved")
    limits = await made.services.owners.limits("acme")
    assert (limits.plan, limits.values.pages_per_month, limits.values.stored_bytes) == ("free", 50_000, None)
    assert (limits.values.weight, limits.values.priority, limits.values.queued_jobs) == (2.5, "low", 100)
    page = (await operator.get(answer.headers["location"])).text
    assert "Takes effect everywhere within a second" in page and 'value="50000"' in page and 'value="none"' in page
    audit = (await operator.get("/admin/audit?action=owner.limited")).text
    assert 'href="/admin/owners/acme"' in audit and "plan free, priority=low, weight=2.5" in audit
    assert (await act(operator, "/admin/owners/acme", plan="")).status_code == 303
    assert (await made.services.owners.limits("acme")).plan == "standard"


async def test_a_value_that_makes_no_sense_is_named(operator: Client, made: Maker) -> None:
    bad = await act(operator, "/admin/owners/acme", plan="free", weight="heavy")
    assert bad.status_code == 400 and "weight: Input should be a valid number" in bad.text
    unknown = await act(operator, "/admin/owners/acme", plan="gold")
    assert unknown.status_code == 400 and "There is no plan gold" in unknown.text
    assert await made.services.owners.get("acme") is None


async def test_a_viewer_sees_and_cannot_change(viewer: Client) -> None:
    page = (await viewer.get("/admin/owners/acme")).text
    assert "Waiting jobs" in page and "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert (await viewer.post("/admin/owners/acme", data={"plan": "free"})).status_code == 403


async def test_a_name_of_any_letters_has_its_page(operator: Client, made: Maker) -> None:
    name = "Ünï/corp & <b>"
    answer = await act(operator, f"/admin/owners/{quote(name, safe='')}", plan="premium")
    assert answer.status_code == 303
    page = (await operator.get(answer.headers["location"])).text
    assert "Ünï/corp &amp; &lt;b&gt;" in page and "premium" in page
    assert (await made.services.owners.limits(name)).plan == "premium"


async def test_an_operator_erases_an_owner_by_typing_its_name(operator: Client, made: Maker) -> None:
    await made.services.owners.set("initech", "free", {}, by="eva")
    assert 'action="/admin/erase"' in (await operator.get("/admin/owners/initech")).text
    for owner, typed, status_code in (("initech", "Initech", 400), ("", "", 400), ("nowhere", "nowhere", 404)):
        refused = await act(operator, "/admin/erase", owner=owner, typed=typed)
        assert refused.status_code == status_code, refused.text
    assert await made.services.owners.get("initech") is not None
    done = await act(operator, "/admin/erase", owner="initech", typed="initech")
    written = verified(done.content, made.services.settings.link_key)
    assert (done.status_code, written.removed, written.by) == (200, {"plans": 1}, "admin")
    assert await made.services.owners.get("initech") is None
    audit = (await operator.get("/admin/audit?action=owner.erased")).text
    assert written.subject in audit and "1 plans" in audit
    # The log is kept for years: the line of the action itself has no place for the name that has gone.
    requested = list((await made.services.audit.page(AuditFilter(action="erasure.requested"))).events)
    assert requested[0].detail == written.subject
    assert not any("initech" in (line.detail or "") for line in requested)


async def test_a_viewer_is_offered_no_erasure(viewer: Client, made: Maker) -> None:
    assert 'action="/admin/erase"' not in (await viewer.get("/admin/owners/initech")).text
    assert (await viewer.post("/admin/erase", data={"owner": "initech", "typed": "initech"})).status_code == 403


async def test_alert_addresses_are_shown_and_deleted_by_an_operator(operator: Client, made: Maker) -> None:
    alerts = made.services.owner_alerts
    assert "PUT /api/owner-alerts" in (await operator.get("/admin/owners/magrathea")).text
    wish = Wish("ada@example.com", ["failed", "waiting"], "de", 60, 45)
    row, _ = await alerts.rows.put("magrathea", wish, {})
    page = (await operator.get("/admin/owners/magrathea")).text
    for words in ("ada@example.com", "not confirmed", "failed jobs", "over 45 min", "Deutsch"):
        assert words in page, words
    german = (await operator.get("/admin/owners/magrathea", headers={"Accept-Language": "de"})).text
    assert "Alarme per Mail" in german and "nicht bestätigt" in german
    path = f"/admin/alert-addresses/{row.address_id}/delete"
    answer = await act(operator, path)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/admin/owners/magrathea?notice=alert-address-deleted",
    )
    assert await alerts.rows.of("magrathea") == []
    audit = (await operator.get("/admin/audit?action=alert-address.deleted")).text
    assert row.address_id in audit and "ada@example.com" not in audit
    assert (await act(operator, path)).status_code == 404


async def test_a_viewer_sees_that_there_is_an_address_and_not_whose(viewer: Client, made: Maker) -> None:
    alerts = made.services.owner_alerts
    row, _ = await alerts.rows.put("magrathea", Wish("ada@example.com", ["limits"], "en", 60, 30), {})
    page = (await viewer.get("/admin/owners/magrathea")).text
    assert "ada@example.com" not in page and "not confirmed" in page and f"{row.address_id}/delete" not in page
    await alerts.rows.remove(row.address_id)
