"""Signing in by the page, signing out, and the rights of users in the database."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from httpx import AsyncClient, BasicAuth
from litestar import Litestar
from sqlalchemy import delete

from dashboard.authentication import COOKIE
from dashboard.sign_in.page import within
from service.access.failed_attempts import FailedAttempts
from service.database import DashboardSession, DashboardUserRow
from service.monitoring.audit_log import AuditFilter
from service.services import Services
from settings import Queue, Role
from tests.dashboard.conftest import OPERATOR, Client, act
from tests.dashboard.made import Maker, made_type
from tests.waiting import LIMIT_S

PASSWORD = "correct horse battery"
HTML = {"accept": "text/html,*/*"}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def services(made: Maker) -> AsyncIterator[Services]:
    """No users, sessions or failures but those of the test."""
    services = made.services
    services.failed_attempts = FailedAttempts(services.redis, services.audit, b"x" * 32, per_minute=5)
    yield services
    async with services.database.writing() as session:
        await session.execute(delete(DashboardSession))
        await session.execute(delete(DashboardUserRow))
    services.users._found.clear()
    services.sessions._found.clear()


async def eva(services: Services, role: Role = Role.OPERATOR, **rights: object) -> None:
    more = {"created_by": "a test", "personal": True, **rights}
    await services.users.add("eva", PASSWORD, role, **more)  # type: ignore[arg-type]  # rights by name


async def sign_in(client: Client, name: str = "eva", password: str = PASSWORD, next: str = "") -> int:
    answer = await client.post("/admin/sign-in", data={"name": name, "password": password, "next": next})
    return answer.status_code


async def test_a_browser_signs_in_and_out_and_the_cookie_opens_nothing_then(
    anybody: Client, services: Services
) -> None:
    await eva(services)
    sent = await anybody.get("/admin/jobs?status=failed", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (
        303, "/admin/sign-in?next=/admin/jobs%3Fstatus%3Dfailed",
    )  # fmt: skip
    page = await anybody.get(sent.headers["location"])
    assert 'value="/admin/jobs?status=failed"' in page.text and page.headers["cache-control"] == "no-store"
    answer = await anybody.post(
        "/admin/sign-in", data={"name": "eva", "password": PASSWORD, "next": "/admin/jobs?status=failed"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs?status=failed")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/admin")) and "Secure" not in cookie
    token = anybody.cookies[COOKIE]
    assert "Signed in as eva" in (await anybody.get("/admin/queues")).text
    assert (await anybody.get("/admin/sign-in")).headers["location"] == "/admin/queues"
    out = await act(anybody, "/admin/sign-out")
    assert out.headers["location"] == "/admin/sign-in?notice=session-ended" and COOKIE not in anybody.cookies
    kept = await anybody.get("/admin/queues", headers={"cookie": f"{COOKIE}={token}"})
    assert kept.status_code == 401 and "www-authenticate" not in kept.headers
    poll = await anybody.get("/admin/queues/live", headers={"cookie": f"{COOKIE}={token}", "hx-request": "true"})
    assert (poll.status_code, poll.headers["hx-redirect"]) == (401, "/admin/sign-in")
    lines = (await services.audit.page(AuditFilter(actor="eva"))).events
    assert [line.action for line in lines[:2]] == ["session.ended", "session.begun"]


async def test_behind_tls_the_cookie_is_secure(served: tuple[Litestar, str], services: Services) -> None:
    await eva(services)
    async with AsyncClient(base_url=served[1], timeout=LIMIT_S, headers={"x-forwarded-proto": "https"}) as client:
        answer = await client.post("/admin/sign-in", data={"name": "eva", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


async def test_without_users_in_the_database_browsers_are_asked_for_basic(anybody: Client, services: Services) -> None:
    answer = await anybody.get("/admin/queues", headers=HTML)
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic")
    await eva(services)
    script = await anybody.get("/admin/queues")
    assert script.status_code == 401
    basic = await anybody.get("/admin/queues", auth=BasicAuth("eva", PASSWORD), headers=HTML)
    assert basic.status_code == 200
    wrong = await anybody.get("/admin/queues", auth=BasicAuth("eva", "another"), headers=HTML)
    assert wrong.status_code == 401 and wrong.headers["www-authenticate"].startswith("Basic")


async def test_wrong_passwords_are_refused_and_soon_not_looked_at(anybody: Client, services: Services) -> None:
    await eva(services)
    for number in range(5):
        name = ("eva", "nobody")[number % 2]
        assert await sign_in(anybody, name, f"a wrong password {number}") == 401
    answer = await anybody.post("/admin/sign-in", data={"name": "eva", "password": PASSWORD})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert "Too many failed attempts" in answer.text and COOKIE not in anybody.cookies


async def test_another_site_cannot_sign_a_browser_in(anybody: Client, services: Services) -> None:
    await eva(services)
    data = {"name": "eva", "password": PASSWORD}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert (await anybody.post("/admin/sign-in", data=data, headers=headers)).status_code == 403


def test_only_pages_of_ours_are_gone_on_to() -> None:
    for goal in ("https://evil.example", "//evil.example", "/admin/\\evil", "/api/jobs", "/admin/sign-in?next=x", ""):
        assert within(goal) == "/admin/queues"
    assert within("/admin/jobs?status=failed") == "/admin/jobs?status=failed"


@pytest.mark.parametrize("how", ["role", "password", "remove", "end"])
async def test_what_an_operator_changes_holds_for_open_sessions(anybody: Client, services: Services, how: str) -> None:
    await eva(services)
    assert await sign_in(anybody) == 303
    page = await anybody.get("/admin/users")
    assert page.status_code == 200 and "this browser" in page.text
    match how:
        case "role":
            await services.users.change("eva", role=Role.VIEWER, personal=False)
        case "password":
            await services.users.change("eva", password="another long phrase")
        case "remove":
            await services.users.remove("eva")
        case "end":
            await services.sessions.end_all("eva")
    answer = await anybody.get("/admin/users")
    assert answer.status_code == (403 if how == "role" else 401)


async def test_a_session_left_alone_has_ended(anybody: Client, services: Services) -> None:
    await eva(services)
    assert await sign_in(anybody) == 303
    services.sessions.idle = timedelta(0)
    try:
        assert (await anybody.get("/admin/queues")).status_code == 401
    finally:
        services.sessions.idle = services.settings.session_idle


async def test_users_of_the_environment_sign_in_by_the_page_too(anybody: Client) -> None:
    assert await sign_in(anybody, "admin", "admin-password-1") == 303
    assert "Signed in as admin" in (await anybody.get("/admin/queues")).text


async def test_an_operator_of_one_queue_acts_there_alone(anybody: Client, made: Maker, services: Services) -> None:
    await eva(services, queues=["pdf-processing"])
    assert await sign_in(anybody) == 303
    own, other = await made.queued(), await made.queued(made_type("csv-export", Queue.CSV_EXPORT))
    assert (await act(anybody, f"/admin/jobs/{own}/cancel")).status_code == 303
    assert (await act(anybody, f"/admin/jobs/{other}/cancel")).status_code == 403
    assert (await made.store.present(other)).state == "queued"
    assert "Cancel…" not in (await anybody.get(f"/admin/jobs/{other}")).text
    for path in ("/admin/operations", "/admin/queues/csv-export/steer", "/admin/users", "/admin/jobs/new/csv-export"):
        assert (await act(anybody, path)).status_code == 403, path
    assert (await anybody.get("/admin/users")).status_code == 403


async def test_the_right_to_personal_data_is_apart_from_the_role(
    anybody: Client, made: Maker, services: Services
) -> None:
    await eva(services, Role.VIEWER, personal=True)
    job_id = await made.queued()
    assert await sign_in(anybody) == 303
    assert "ada@example.com" in (await anybody.get(f"/admin/jobs/{job_id}")).text
    await services.users.change("eva", role=Role.OPERATOR, personal=False)
    services.users._found.clear()
    page = (await anybody.get(f"/admin/jobs/{job_id}")).text
    assert "ada@example.com" not in page and "Cancel…" in page
    assert (await anybody.get("/admin/users")).status_code == 403


async def test_the_page_of_users_adds_changes_and_removes_and_writes_it_down(
    operator: Client, services: Services
) -> None:
    given = {"name": "eva", "password": PASSWORD, "role": "viewer", "queue": "thumbnails"}
    assert (await act(operator, "/admin/users", **given)).headers["location"].endswith("notice=user-added")
    again = await act(operator, "/admin/users", **given)
    assert again.status_code == 400 and "There is a user eva already" in again.text
    page = (await operator.get("/admin/users")).text
    assert "eva" in page and "thumbnails" in page and "declared in the environment" in page and "argon2" not in page
    changed = await act(
        operator, "/admin/users/eva/rights", role="operator", personal="on", password="a new phrase, long"
    )
    assert changed.status_code == 303
    row = await services.users.verify("eva", "a new phrase, long")
    assert row is not None and (row.role, row.personal, row.queue_names) == ("operator", True, ())
    for path, data in (("/admin/users/eva/rights", {"role": "root"}), ("/admin/users", {**given, "password": "short"})):
        assert (await act(operator, path, **data)).status_code == 400
    assert (await act(operator, "/admin/users/eva/remove")).status_code == 303
    assert (await act(operator, "/admin/users/eva/remove")).status_code == 404
    lines = (await services.audit.page(AuditFilter(actor="admin"))).events[:8]
    details = {(line.action, line.outcome): line.detail for line in lines}
    assert {("user.added", "done"), ("user.changed", "done"), ("user.removed", "done")} <= details.keys()
    assert PASSWORD not in str(details) and "a new phrase" not in str(details)
    assert "operator, sees personal data; a new password" in str(details["user.changed", "done"])


async def test_an_operator_signs_a_user_out_everywhere(anybody: Client, services: Services) -> None:
    await eva(services)
    cookies = []
    for _ in range(2):
        anybody.cookies.clear()
        assert await sign_in(anybody) == 303
        cookies.append(anybody.cookies[COOKIE])
    anybody.cookies.clear()
    anybody.auth = OPERATOR
    assert (await anybody.get("/admin/users")).text.count('action="/admin/users/eva/sign-out"') == 2
    assert (await act(anybody, "/admin/users/eva/sign-out")).status_code == 303
    again = await act(anybody, "/admin/users/eva/sign-out")
    assert again.status_code == 404 and "eva has no open session." in again.text
    anybody.auth = None
    for cookie in cookies:
        anybody.cookies.clear()
        assert (await anybody.get("/admin/queues", headers={"cookie": f"{COOKIE}={cookie}"})).status_code == 401
    lines = (await services.audit.page(AuditFilter(action="session.ended", target="eva"))).events
    assert ("done", "2 sessions") in [(line.outcome, line.detail) for line in lines]
