"""Signing in by an independent identity provider, in a real Chromium: what the browser keeps, where it is led, what it shows."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from dashboard.authentication import COOKIE
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.panva import HOST, SECRET, Panva, client, installed
from tests.ports import free_port
from tests.waiting import wait_until_async

pytestmark = pytest.mark.slow

PEOPLE = {
    "ada": {"preferred_username": "ada", "groups": ["ops"]},
    "guest": {"preferred_username": "guest", "groups": ["others"]},
}
GOAL = "/admin/jobs?status=failed"
BUTTON = "Sign in with your company's account"


@pytest.fixture(scope="module")
def panva(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panva]:
    folder = installed(tmp_path_factory.mktemp("panva"))
    provider = Panva(folder, [], PEOPLE)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def web(valkey: str, panva: Panva, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a web process that knows the provider."""
    folder, port = tmp_path_factory.mktemp("signing-in"), free_port()
    url = f"http://127.0.0.1:{port}"
    panva.clients = [client(f"{url}/admin/sign-in/oidc/callback")]
    panva.start()
    environment = {
        "OFFLOAD_DATA_DIR": str(folder / "data"),
        "OFFLOAD_REDIS_URL": valkey,
        "OFFLOAD_API_KEYS": API_KEYS,
        "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
        "OFFLOAD_PUBLIC_URL": url,
        "OFFLOAD_OIDC_ISSUER": panva.issuer,
        "OFFLOAD_OIDC_CLIENT_ID": "offload",
        "OFFLOAD_OIDC_CLIENT_SECRET": SECRET,
        "OFFLOAD_OIDC_ROLES": "ops=operator",
    }
    log = folder / "web.log"
    command = [sys.executable, "-m", "uvicorn", "--factory", "dashboard.app:create_app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    try:
        asyncio.run(wait_until_async(lambda: _answers(url) or process.poll() is not None))
        assert process.poll() is None, log.read_text()
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


async def _local_only(route: Route) -> None:
    """The provider's own pages ask for a font of another site, which a machine without a network waits for."""
    if re.match(rf"http://(127\.0\.0\.1|{HOST}):", route.request.url):
        await route.continue_()
    else:
        await route.abort()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, web: str) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(base_url=web)
    await context.route("**/*", _local_only)
    yield context
    await context.close()


async def give_name(page: Page, name: str) -> None:
    """Fill in the provider's form, and agree where it asks."""
    await page.get_by_placeholder("Enter any login").fill(name)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def cookies(context: BrowserContext) -> dict[str, dict[str, object]]:
    return {str(one["name"]): dict(one) for one in await context.cookies() if str(one["name"]).startswith("offload")}


async def test_a_person_signs_in_goes_on_and_signs_out_at_both(context: BrowserContext, web: str, panva: Panva) -> None:
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    await page.goto(GOAL)
    await page.get_by_role("link", name=BUTTON).click()
    await expect(page).to_have_url(re.compile(re.escape(panva.origin)))
    pending = (await cookies(context))["offload_pending_sign_in"]
    assert (pending["httpOnly"], pending["sameSite"], pending["path"]) == (True, "Lax", "/admin/sign-in")
    await give_name(page, "ada")
    # The way back comes from another site, with the cookie of the sign-in all the same.
    await expect(page).to_have_url(web + GOAL)
    await expect(page.get_by_title("Signed in as ada, operator")).to_be_visible()
    kept = await cookies(context)
    assert "offload_pending_sign_in" not in kept
    assert (kept[COOKIE]["httpOnly"], kept[COOKIE]["sameSite"], kept[COOKIE]["path"]) == (True, "Lax", "/admin")
    assert COOKIE not in await page.evaluate("document.cookie")
    await page.get_by_role("button", name="Sign out").first.click()
    await expect(page.get_by_text("Do you want to sign-out")).to_be_visible()
    await page.get_by_role("button", name="Yes").click()
    await expect(page).to_have_url(f"{web}/admin/sign-in")
    assert COOKIE not in await cookies(context)
    # The provider's own session has ended too: it asks for the name again.
    await page.get_by_role("link", name=BUTTON).click()
    await expect(page.get_by_placeholder("Enter any login")).to_be_visible()
    assert complaints == []


async def test_refusals_are_shown_at_the_form(context: BrowserContext, panva: Panva) -> None:
    page = await context.new_page()
    await page.goto("/admin/sign-in")
    await page.get_by_role("link", name=BUTTON).click()
    await page.get_by_role("link", name="[ Cancel ]").click()
    await expect(page.get_by_role("alert")).to_contain_text("has signed no one in: access_denied.")
    await page.get_by_role("link", name=BUTTON).click()
    await give_name(page, "guest")
    await expect(page.get_by_role("alert")).to_contain_text(
        "guest is in none of the groups that may sign in here: ops."
    )
    panva.stop()

    async def refused() -> bool:
        """A provider that has answered within a second is not asked again: until then the browser is led to where it was."""
        answer = await page.request.get("/admin/sign-in/oidc", max_redirects=0)
        return answer.status == 503

    await wait_until_async(refused)
    await page.get_by_role("link", name=BUTTON).click()
    await expect(page.get_by_role("alert")).to_contain_text(f"The identity provider {panva.issuer} does not answer.")
    await page.get_by_label("Name").fill("admin")
    await page.get_by_label("Password").fill("admin-password-1")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_title("Signed in as admin, operator")).to_be_visible()
