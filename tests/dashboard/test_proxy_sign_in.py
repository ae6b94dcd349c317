"""Signing in by a proxy's headers, at a web application as the supervisor starts it: 127.0.0.1 is the proxy, 127.0.0.2 is not.

It believes everyone's X-Forwarded-For, and tracing is on: neither may hide who is connected.
"""

import os
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from httpx import AsyncClient, AsyncHTTPTransport, Response
from litestar.routes import HTTPRoute

from dashboard.app import create_app
from dashboard.csrf import COOKIE as CSRF
from service.lib.ports import free_port
from service.supervisor.stack import Stack
from settings import Settings
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.dashboard.conftest import act
from tests.dashboard.test_isolation import OPEN
from tests.waiting import LIMIT_S, wait_until, wait_until_async

ROLES = "ops=operator; mail=operator in email-sender without personal; everyone=viewer"
ADA = {"x-forwarded-user": "ada", "x-forwarded-email": "ada@company.example", "x-forwarded-groups": "everyone,ops"}
VERA = {"x-forwarded-user": "vera", "x-forwarded-groups": "everyone"}
PAGE, HTML = "/admin/queues", {"accept": "text/html"}


@pytest.fixture(scope="module")
def address(valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the web application of an installation behind a proxy."""
    folder, port = tmp_path_factory.mktemp("proxied"), free_port()
    data = folder / "data"
    environment = {
        "OFFLOAD_DATA_DIR": str(data),
        "OFFLOAD_REDIS_URL": valkey,
        "OFFLOAD_API_KEYS": API_KEYS,
        "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
        "OFFLOAD_PROXY_AUTH_FROM": "127.0.0.1",
        "OFFLOAD_PROXY_AUTH_ROLES": ROLES,
        "OFFLOAD_OIDC_CONTACT": "the help desk",
        "FORWARDED_ALLOW_IPS": "*",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    }
    command = Stack(Settings(data_dir=data, port=port), lambda *_: None)._web_command()
    log = folder / "web.log"
    with log.open("wb") as output:
        web = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _ready(url) or web.poll() is not None)
        assert web.poll() is None, log.read_text()
        yield url
    finally:
        web.terminate()
        web.wait(30)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(address: str) -> AsyncIterator[AsyncClient]:
    """A client with the proxy's address."""
    async with AsyncClient(
        base_url=address, timeout=LIMIT_S, transport=AsyncHTTPTransport(local_address="127.0.0.1")
    ) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(address: str) -> AsyncIterator[AsyncClient]:
    """A client with another address."""
    async with AsyncClient(
        base_url=address, timeout=LIMIT_S, transport=AsyncHTTPTransport(local_address="127.0.0.2")
    ) as client:
        yield client


async def token(proxy: AsyncClient, headers: dict[str, str]) -> str:
    """The form token of a person's page."""
    found = re.search(r'name="csrf" value="([^"]+)"', (await proxy.get(PAGE, headers=headers)).text)
    assert found
    return found[1]


async def audit(proxy: AsyncClient, actor: str) -> str:
    """Lines of the audit page about an actor, as words."""
    page: Response = await proxy.get("/admin/audit", params={"actor": actor}, auth=("admin", "admin-password-1"))
    assert page.status_code == 200, page.text
    return " ".join(re.sub(r"<[^>]*>", " ", page.text).split())


async def test_the_proxy_names_a_person_whose_groups_count(proxy: AsyncClient) -> None:
    page = await proxy.get(PAGE, headers={**ADA, "x-forwarded-for": "203.0.113.7"})
    assert page.status_code == 200 and "Signed in as ada, operator" in page.text
    assert "Sign out" not in page.text
    assert "Signed in as vera, viewer" in (await proxy.get(PAGE, headers=VERA)).text
    sign_in = await proxy.get("/admin/sign-in?next=/admin/jobs", headers=ADA)
    assert (sign_in.status_code, sign_in.headers["location"]) == (303, "/admin/jobs")


@pytest.mark.parametrize(
    "forged", [{}, {"x-forwarded-for": "127.0.0.1"}, {"x-forwarded-for": "127.0.0.1:9, 127.0.0.1"}]
)
async def test_anyone_elses_headers_are_not_believed(stranger: AsyncClient, forged: dict[str, str]) -> None:
    assert (await stranger.get(PAGE, headers=ADA | forged)).status_code == 401
    # They are not even read, so that their faults are not named either.
    assert (await stranger.get(PAGE, headers=[*ADA.items(), *ADA.items()])).status_code == 401
    sign_in = await stranger.get("/admin/sign-in", headers=ADA | forged)
    assert sign_in.status_code == 200 and "ada" not in sign_in.text
    as_viewer = await stranger.get(PAGE, headers=ADA | forged, auth=("viewer", "viewer-password-1"))
    assert "Signed in as viewer, viewer" in as_viewer.text


async def test_no_page_or_action_believes_them(stranger: AsyncClient, tmp_path: Path) -> None:
    answers = []
    for route in create_app(Settings(data_dir=tmp_path)).routes:
        if not isinstance(route, HTTPRoute) or not route.path_format.startswith("/admin") or route.path_format in OPEN:
            continue
        for method in route.methods & {"GET", "POST"}:
            path = re.sub(r"\{[^}]*\}", "1", route.path_format)
            answer = await stranger.request(method, path, headers=ADA | {"x-forwarded-for": "127.0.0.1"})
            answers.append((path, answer.status_code))
    assert len(answers) > 100 and {status_code for _, status_code in answers} == {401}, answers


async def test_a_claim_of_an_address_does_not_make_the_proxy_another(proxy: AsyncClient) -> None:
    page = await proxy.get(PAGE, headers={**ADA, "x-forwarded-for": "127.0.0.2"})
    assert "Signed in as ada, operator" in page.text


async def test_the_proxys_user_goes_before_other_credentials(proxy: AsyncClient) -> None:
    for credential in (b"ada:", b"admin:admin-password-1", b"admin:wrong"):
        basic = {"authorization": f"Basic {b64encode(credential).decode()}"}
        assert "Signed in as ada, operator" in (await proxy.get(PAGE, headers=ADA | basic)).text
    bearer = {"authorization": "Bearer of-another-system"}
    assert "Signed in as ada, operator" in (await proxy.get(PAGE, headers=ADA | bearer)).text
    without = await proxy.get(PAGE, auth=("viewer", "viewer-password-1"))
    assert "Signed in as viewer, viewer" in without.text


async def test_the_api_goes_on_to_ask_for_keys(proxy: AsyncClient) -> None:
    assert (await proxy.get("/api/jobs", headers=ADA)).status_code == 401
    key = {"authorization": f"Bearer {API_KEYS.split(':')[1].split(',')[0]}"}
    assert (await proxy.get("/api/jobs", headers=ADA | key)).status_code == 200


async def test_without_a_group_that_counts_a_page_says_which_do(proxy: AsyncClient) -> None:
    words = "guest is in none of the groups that may sign in here: ops, mail, everyone. Ask the help desk."
    for groups in ({}, {"x-forwarded-groups": ""}, {"x-forwarded-groups": "others,Ops"}):
        answer = await proxy.get(PAGE, headers={"x-forwarded-user": "guest", **groups, **HTML})
        assert answer.status_code == 403 and words in answer.text and "<h1>Not signed in</h1>" in answer.text
        poll = await proxy.get(PAGE, headers={"x-forwarded-user": "guest", **groups, **HTML, "hx-request": "true"})
        assert (poll.status_code, poll.text) == (403, words)
    assert (await proxy.get("/admin/sign-in", headers={"x-forwarded-user": "guest"})).status_code == 403


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ([*ADA.items(), ("x-forwarded-user", "admin")], "came twice"),
        ([*ADA.items(), ("X-Forwarded-Groups", "ops")], "came twice"),
        ([("x-forwarded-user", "")], "is empty"),
        ([("x-forwarded-user", "a" * 1_025)], "more than 1,024 characters"),
        ([("x-forwarded-user", "a\tb")], "control character"),
    ],
)
async def test_headers_that_cannot_be_the_proxys_are_a_sentence(
    proxy: AsyncClient, sent: list[tuple[str, str]], sentence: str
) -> None:
    answer = await proxy.get(PAGE, headers=sent, auth=("admin", "admin-password-1"))
    assert answer.status_code == 400 and sentence in answer.text and answer.text.startswith("The header x-forwarded-")


async def test_a_name_of_a_user_with_a_password_is_taken(proxy: AsyncClient) -> None:
    answer = await proxy.get(PAGE, headers=ADA | {"x-forwarded-user": "admin"})
    assert answer.status_code == 403 and "admin is also a dashboard user with a password" in answer.text
    proxy.headers.update(ADA)
    added = await act(proxy, "/admin/users", name="zoe", password="correct horse battery", role="viewer")
    assert added.status_code == 303, added.text
    await wait_until_async(lambda: _status(proxy, {"x-forwarded-user": "zoe"}, 403))


async def _status(proxy: AsyncClient, headers: dict[str, str], status_code: int) -> bool:
    return (await proxy.get(PAGE, headers=headers)).status_code == status_code


async def test_forms_need_the_persons_own_token_and_rights(proxy: AsyncClient) -> None:
    form = {"csrf": await token(proxy, ADA)}

    async def signs_out(**headers: str) -> Response:
        # An error's page sets a token of its own user's.
        proxy.cookies.clear()
        return await proxy.post(
            "/admin/sign-out", data=form, headers=ADA | {"cookie": f"{CSRF}={form['csrf']}"} | headers
        )

    for origin in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await signs_out(**origin)
        assert answer.status_code == 403 and "from another site" in answer.text
    for others in ({"cookie": ""}, {"cookie": f"{CSRF}=x.y"}, {"x-forwarded-user": "eve"}):
        answer = await signs_out(**others)
        assert answer.status_code == 403 and "no valid token" in answer.text
    assert (await signs_out()).status_code == 303
    as_viewer = await proxy.post("/admin/users", data={"name": "x"}, headers=VERA)
    assert as_viewer.status_code == 403 and "vera is a viewer" in as_viewer.text


async def test_visits_actions_and_refusals_stand_in_the_audit_log(proxy: AsyncClient) -> None:
    person = {
        "x-forwarded-user": "grace",
        "x-forwarded-email": "grace@company.example",
        "x-forwarded-for": "203.0.113.9",
    }
    for _ in range(3):
        await proxy.get(PAGE, headers=person)
    for _ in range(3):
        await proxy.get(PAGE, headers=person | {"x-forwarded-groups": "ops"})
    client_headers = person | {"x-forwarded-groups": "ops"}
    proxy.headers.update(client_headers)
    assert (await act(proxy, "/admin/users", name="!")).status_code in (400, 422)

    async def written() -> bool:
        words = await audit(proxy, "grace")
        return "session.begun" in words and "credential.refused" in words

    for name in client_headers:
        del proxy.headers[name]
    await wait_until_async(written)
    words = await audit(proxy, "grace")
    assert "user.added proxy; name refused" in words
    assert words.count("proxy; email grace@company.example") == 1 and "203.0.113.9" in words
    assert words.count("proxy: grace is in none of the groups") == 1


HAPROXY = """
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port}
    http-request del-header ^x-forwarded-.* -m reg
    http-request set-header X-Forwarded-User ada
    http-request set-header X-Forwarded-Groups ops
    default_backend web
backend web
    option forwardfor
    server web {address} source 127.0.0.1
"""


@pytest.fixture
def haproxy(address: str, tmp_path: Path) -> Iterator[str]:
    """Address of a real proxy, which signs everyone in as ada."""
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not Path(program).exists():
        pytest.skip("haproxy is not installed: apt install haproxy")
    port, file = free_port(), tmp_path / "haproxy.cfg"
    file.write_text(HAPROXY.format(port=port, address=address.removeprefix("http://")))
    process = subprocess.Popen([program, "-f", str(file), "-db"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _ready(f"http://127.0.0.1:{port}") or process.poll() is not None)
        assert process.poll() is None
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def test_a_real_proxy_between(haproxy: str) -> None:
    async with AsyncClient(base_url=haproxy, timeout=LIMIT_S) as browser:
        page = await browser.get(PAGE, headers={"x-forwarded-user": "admin", "x-forwarded-groups": "none"})
        assert "Signed in as ada, operator" in page.text
        assert (await act(browser, "/admin/sign-out")).status_code == 303
