"""Sign-in by a proxy's headers behind Apache with mod_auth_openidc, which has people sign in at a provider that others made."""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from service.supervisor.valkey import EmbeddedValkey
from tests.panva import SECRET, Panva, client, consent, installed
from tests.ports import free_port
from tests.production.harness import Installation
from tests.waiting import LIMIT_S, wait_until

MODULES = Path("/usr/lib/apache2/modules")
PAGE, HTML = "/admin/queues", {"accept": "text/html"}
ROLES = "ops=operator; /mail/team=operator in email-sender without personal; everyone=viewer"
PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"preferred_username": "ada", "email": "ada@company.example", "groups": ["everyone", "ops"]},
    "zoë": {"preferred_username": "zoë", "groups": ["everyone"]},
    "mel": {"preferred_username": "mel", "groups": ["/mail/team"]},
    "guest": {"preferred_username": "guest"},
}

CONFIGURATION = """
ServerName 127.0.0.1
ServerRoot {folder}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
ErrorLog {folder}/error.log
LogLevel warn
{user}
{modules}
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret "{secret}"
OIDCRedirectURI http://127.0.0.1:{port}/admin/signed-in
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCScope "openid profile"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCClaimDelimiter ,
OIDCPassClaimsAs environment
# For every path, so that nothing of a client's own gets through where no one has to sign in.
RequestHeader unset X-Forwarded-User early
RequestHeader unset X-Forwarded-Email early
RequestHeader unset X-Forwarded-Groups early
ProxyPreserveHost On
ProxyPass /admin/signed-in !
ProxyPass / {web}/
<Location /admin>
  AuthType openid-connect
  Require valid-user
  RequestHeader set X-Forwarded-User "expr=%{{REMOTE_USER}}"
  RequestHeader set X-Forwarded-Email "%{{OIDC_CLAIM_email}}e" env=OIDC_CLAIM_email
  RequestHeader set X-Forwarded-Groups "%{{OIDC_CLAIM_groups}}e" env=OIDC_CLAIM_groups
</Location>
"""
LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "headers", "proxy", "proxy_http", "auth_openidc")


@pytest.fixture
def web(install: Callable[..., Installation], queue_server: EmbeddedValkey) -> Installation:
    """The web application, which believes 127.0.0.1."""
    installation = install(
        OFFLOAD_REDIS_URL=queue_server.url,
        OFFLOAD_PROXY_AUTH_FROM="127.0.0.1",
        OFFLOAD_PROXY_AUTH_ROLES=ROLES,
        OFFLOAD_OIDC_CONTACT="the help desk",
    )
    installation.start_web("dashboard.app:create_app")
    return installation


@pytest.fixture
def apache(web: Installation, tmp_path: Path) -> Iterator[str]:
    """Address of Apache, in front of the web application."""
    program = shutil.which("apache2") or "/usr/sbin/apache2"
    if not Path(program).exists() or not (MODULES / "mod_auth_openidc.so").exists():
        pytest.skip("Apache is not installed here (apt-get install apache2 libapache2-mod-auth-openidc)")
    folder, port = tmp_path / "apache", free_port()
    folder.mkdir()
    packages = tmp_path / "panva"
    packages.mkdir()
    apache_client = client(f"http://127.0.0.1:{port}/admin/signed-in", "apache")
    provider = Panva(installed(packages), [apache_client], PEOPLE).start()
    file = folder / "apache.conf"
    file.write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED),
            issuer=provider.issuer,
            secret=SECRET,
            web=web.url,
        )
    )
    process = subprocess.Popen([program, "-f", str(file), "-DFOREGROUND"], cwd=folder)
    try:
        wait_until(lambda: _ready(f"http://127.0.0.1:{port}") or process.poll() is not None)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"http://127.0.0.1:{port}"
        print((folder / "error.log").read_text(), provider.log)
    finally:
        process.terminate()
        process.wait(30)
        provider.stop()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest_asyncio.fixture
async def browser(apache: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=apache, timeout=LIMIT_S) as client:
        yield client


async def sign_in(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    """Open a page, sign in where Apache sends the browser to, and come back to the page."""
    browser.cookies.clear()
    sent = await browser.get(PAGE, headers=HTML)
    assert sent.status_code == 302 and "code_challenge_method=S256" in sent.headers["location"], sent.text
    async with httpx.AsyncClient(timeout=LIMIT_S) as at_provider:
        back = await consent(at_provider, sent.headers["location"], name)
    answer = await browser.get(back)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].endswith(PAGE)
    return await browser.get(answer.headers["location"], headers=HTML)


async def test_people_sign_in_at_the_proxy_and_no_header_of_theirs_counts(
    browser: httpx.AsyncClient, web: Installation
) -> None:
    assert "Signed in as ada, operator" in (await sign_in(browser, "ada")).text
    spoofed = {"X-Forwarded-User": "admin", "X-Forwarded-Email": "root@company.example", "X-Forwarded-Groups": "none"}
    for headers in (spoofed, {name.replace("-", "_"): value for name, value in spoofed.items()}):
        assert "Signed in as ada, operator" in (await browser.get(PAGE, headers=HTML | headers)).text
    page = await browser.get("/admin/users", headers=HTML)
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    form = {"csrf": token[1], "name": "nia", "password": "correct horse battery", "role": "viewer"}
    for origin, status_code in (("https://evil.example", 403), (str(browser.base_url).rstrip("/"), 303)):
        posted = await browser.post("/admin/users", data=form, headers={"origin": origin})
        assert posted.status_code == status_code, posted.text
    assert "Signed in as zoë, viewer" in (await sign_in(browser, "zoë")).text
    raised = await browser.get(PAGE, headers=HTML | {"X-Forwarded-Groups": "ops"})
    assert "Signed in as zoë, viewer" in raised.text
    assert "Signed in as mel, operator" in (await sign_in(browser, "mel")).text
    guest = await sign_in(browser, "guest")
    assert guest.status_code == 403 and "guest is in none of the groups" in guest.text
    guest = await browser.get(PAGE, headers=HTML | {"X-Forwarded-Groups": "ops"})
    assert guest.status_code == 403 and "guest is in none of the groups" in guest.text
    await _without_a_sign_in(browser, web, spoofed)


async def _without_a_sign_in(browser: httpx.AsyncClient, web: Installation, spoofed: dict[str, str]) -> None:
    browser.cookies.clear()
    sent = await browser.get(PAGE, headers=HTML | spoofed)
    assert sent.status_code == 302 and "/auth?" in sent.headers["location"]
    assert (await browser.get("/api/jobs", headers=spoofed | {"X-Forwarded-Groups": "ops"})).status_code == 401
    # Past the proxy, from an address that is not its own.
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(base_url=web.url, transport=transport, timeout=LIMIT_S) as past:
        assert (await past.get(PAGE, headers=spoofed | {"X-Forwarded-Groups": "ops"})).status_code == 401
