"""Signing in by an identity provider: a real one on loopback, and one whose answers are wrong."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio
from httpx import AsyncClient, Response
from joserfc.jwk import RSAKey
from sqlalchemy import delete

from dashboard.authentication import COOKIE
from dashboard.sign_in.oidc import COOKIE as PENDING
from service.access.failed_attempts import FailedAttempts
from service.access.id_tokens import LEEWAY_S
from service.access.oidc import Oidc
from service.database import DashboardSession, DashboardUserRow
from service.monitoring.audit_log import AuditFilter
from service.services import Services
from settings import Role
from settings.groups import parse_group_rights
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker, made_type
from tests.oidc import Provider, oidc_provider, person, signed_by_secret, unsigned
from tests.waiting import LIMIT_S, wait_until_async

PEOPLE = (
    person("ada", groups=["ops", "everyone"]),
    person("mel", groups=["mail"]),
    person("vera", groups=["everyone"]),
    person("guest", groups=["others"]),
    person("admin", groups=["ops"]),
)
ROLES = "ops=operator; mail=operator in email-sender without personal; everyone=viewer"
JOBS = "/admin/jobs?status=failed"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with oidc_provider(*PEOPLE) as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The provider, without what the test before has changed of it."""
    running.reset()
    return running


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def services(made: Maker, provider: Provider) -> AsyncIterator[Services]:
    """An installation that knows the provider, and no users, sessions or failures but those of the test."""
    services, before = made.services, made.services.settings
    services.failed_attempts = FailedAttempts(services.redis, services.audit, b"x" * 32, per_minute=5)
    configure(services, provider)
    yield services
    await services.failed_attempts.close()
    services.settings, services.oidc = before, None
    async with services.database.writing() as session:
        await session.execute(delete(DashboardSession))
        await session.execute(delete(DashboardUserRow))
    services.sessions._found.clear()


def configure(services: Services, provider: Provider, **more: Any) -> None:
    given = {
        "oidc_issuer": provider.url,
        "oidc_client_id": "offload",
        "oidc_client_secret": provider.secret,
        "oidc_roles": parse_group_rights(ROLES),
        "oidc_contact": "the help desk",
        **more,
    }
    services.settings = services.settings.model_copy(update=given)
    services.oidc = Oidc(services.settings)


async def at_provider(client: Client, name: str, next: str = "") -> str:
    """Begin at the page, sign in at the provider; the path and query that it leads back to."""
    sent = await client.get("/admin/sign-in/oidc", params={"next": next})
    assert sent.status_code == 303, sent.text
    async with AsyncClient(timeout=LIMIT_S) as browser:
        answer = await browser.post(sent.headers["location"], data={"sub": f"id-of-{name}"})
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://127.0.0.1:8000/admin/sign-in/oidc/callback"
    return f"{back.path}?{back.query}"


async def sign_in(client: Client, name: str = "ada", next: str = "") -> Response:
    return await client.get(await at_provider(client, name, next))


async def test_a_person_signs_in_is_led_on_and_signs_out_at_both(
    anybody: Client, services: Services, provider: Provider
) -> None:
    sent = await anybody.get(JOBS, headers={"accept": "text/html"})
    page = await anybody.get(sent.headers["location"])
    assert "Sign in with your company&#39;s account" in page.text
    assert 'href="/admin/sign-in/oidc?next=/admin/jobs%3Fstatus%3Dfailed"' in page.text
    begun = await anybody.get("/admin/sign-in/oidc", params={"next": JOBS})
    query = parse_qs(urlsplit(begun.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"] and query["response_type"] == ["code"] and query["nonce"]
    cookie = begun.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/admin/sign-in", "Max-Age=600"))
    answer = await sign_in(anybody, "ada", JOBS)
    assert (answer.status_code, answer.headers["location"]) == (303, JOBS)
    assert PENDING not in anybody.cookies and provider.requests.count("/userinfo") == 0
    token = anybody.cookies[COOKIE]
    users = await anybody.get("/admin/users")
    assert "Signed in as ada, operator" in users.text and "by the identity provider" in users.text
    out = await act(anybody, "/admin/sign-out")
    assert out.status_code == 200 and COOKIE not in anybody.cookies
    assert (
        f'content="0; url={provider.url}/oauth2/end_session?client_id=offload&amp;post_logout_redirect_uri=' in out.text
    )
    assert "id_token_hint=ey" in out.text and "form-action 'self'" in out.headers["content-security-policy"]
    assert (await anybody.get("/admin/queues", headers={"cookie": f"{COOKIE}={token}"})).status_code == 401
    lines = (await services.audit.page(AuditFilter(actor="ada"))).events
    assert [line.action for line in lines[:2]] == ["session.ended", "session.begun"]
    assert lines[1].detail == "oidc; subject id-of-ada"


async def test_groups_give_role_queues_and_the_right_to_personal_data(anybody: Client, made: Maker) -> None:
    await sign_in(anybody, "mel")
    own, other = await made.queued(made_type("email-campaign", "email-sender")), await made.queued()
    assert (await act(anybody, f"/admin/jobs/{own}/cancel")).status_code == 303
    assert (await act(anybody, f"/admin/jobs/{other}/cancel")).status_code == 403
    assert "ada@example.com" not in (await anybody.get(f"/admin/jobs/{other}")).text
    anybody.cookies.clear()
    await sign_in(anybody, "vera")
    assert "Signed in as vera, viewer" in (await anybody.get("/admin/queues")).text
    assert (await act(anybody, f"/admin/jobs/{other}/cancel")).status_code == 403


async def test_without_a_group_that_counts_the_page_says_which_do_and_whom_to_ask(
    anybody: Client, services: Services
) -> None:
    answer = await sign_in(anybody, "guest")
    assert answer.status_code == 403 and COOKIE not in anybody.cookies
    assert (
        "guest is in none of the groups that may sign in here: ops, mail, everyone. Ask the help desk." in answer.text
    )
    await services.audit.close()
    (line,) = (await services.audit.page(AuditFilter(actor="guest"))).events[:1]
    assert (line.action, line.outcome) == ("credential.refused", "refused") and "none of the groups" in (
        line.detail or ""
    )
    await services.failed_attempts.close()
    assert (await services.failed_attempts.counts())["oidc", "refused"] == 1


async def test_a_name_of_a_user_with_a_password_is_taken(anybody: Client, services: Services) -> None:
    answer = await sign_in(anybody, "admin")
    assert answer.status_code == 403 and "admin is also a dashboard user with a password" in answer.text
    await services.users.add("ada", "correct horse battery", Role.VIEWER, created_by="a test", personal=False)
    assert (await sign_in(anybody, "ada")).status_code == 403


NAMES_ITSELF = {"authorization_response_iss_parameter_supported": True}

WRONG: dict[str, dict[str, Any]] = {
    "aud": {"aud": "another client"},
    "aud-and-azp": {"aud": ["offload", "other"], "azp": "other"},
    "azp-missing": {"aud": ["offload", "other"]},
    "iss": {"iss": "https://evil.example"},
    "nonce": {"nonce": "of another sign-in"},
    "no-nonce": {"nonce": None},
    "expired": {"exp": int(time.time()) - LEEWAY_S - 5},
    "from-the-future": {"iat": int(time.time()) + 3_600},
    "exp-missing": {"exp": None},
    "sub-missing": {"sub": None},
    "at-hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_token_with_a_wrong_claim_opens_nothing(anybody: Client, provider: Provider, wrong: str) -> None:
    changes = WRONG[wrong]
    provider.claims = lambda claims: {
        name: value for name, value in (claims | changes).items() if name not in changes or value is not None
    }
    answer = await sign_in(anybody)
    assert answer.status_code == 401 and "ID token is not valid here" in answer.text and COOKIE not in anybody.cookies


@pytest.mark.parametrize("how", ["none", "secret", "another key", "another key's id", "garbage"])
async def test_a_token_that_the_provider_has_not_signed_opens_nothing(
    anybody: Client, provider: Provider, how: str
) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "strange" if how == "another key's id" else provider.key.kid})
    # Even where the description names them.
    provider.described = {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
    provider.sign = {
        "none": unsigned,
        "secret": lambda claims: signed_by_secret(provider.secret, claims),
        "garbage": lambda _: "no.token.at all",
    }.get(how, lambda claims: provider.signed(claims, stranger))
    answer = await sign_in(anybody)
    assert answer.status_code == 401 and COOKIE not in anybody.cookies


async def test_new_keys_of_the_provider_are_fetched_once_they_are_needed(anybody: Client, provider: Provider) -> None:
    assert (await sign_in(anybody)).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
    assert (await sign_in(anybody)).status_code == 303
    assert (await sign_in(anybody)).status_code == 303
    assert provider.requests.count("/jwks") == 2
    provider.key = RSAKey.generate_key(2048, {"kid": "third", "use": "sig"})
    out = await act(anybody, "/admin/sign-out")
    # A provider refuses a hint that it can no longer verify, and the person would stay signed in there.
    assert "end_session?client_id=offload" in out.text and "id_token_hint" not in out.text


async def test_clocks_may_differ_a_little(anybody: Client, provider: Provider) -> None:
    provider.claims = lambda claims: claims | {"exp": int(time.time()) - 5, "iat": int(time.time()) + 5}
    assert (await sign_in(anybody)).status_code == 303


async def test_a_sign_in_comes_back_once_and_to_its_browser(
    anybody: Client, services: Services, served: tuple[Any, str]
) -> None:
    back = await at_provider(anybody, "ada")
    cookie = {"cookie": f"{PENDING}={anybody.cookies[PENDING]}"}
    async with AsyncClient(base_url=served[1], timeout=LIMIT_S) as stranger:
        assert (await stranger.get(back)).status_code == 400
    path = "/admin/sign-in/oidc/callback"
    for wrong in (path, f"{path}?code=x", f"{path}?code=x&state=another", back.replace("state=", "state=a")):
        answer = await anybody.get(wrong, headers=cookie)
        assert answer.status_code == 400 and "begun in another browser or tab" in answer.text
    forged = cookie["cookie"][:-1] + ("0" if cookie["cookie"][-1] != "0" else "1")
    assert (await anybody.get(back, headers={"cookie": forged})).status_code == 400
    assert (await anybody.get(back, headers=cookie)).status_code == 303
    anybody.cookies.clear()
    replayed = await anybody.get(back, headers=cookie)
    assert replayed.status_code == 400 and COOKIE not in anybody.cookies


async def test_a_refusal_at_the_provider_is_a_sentence_without_its_words(anybody: Client) -> None:
    # This provider leaves out the state, which a refusal has to carry as a code does (RFC 6749, 4.1.2.1).
    begun = await anybody.get("/admin/sign-in/oidc")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    async with AsyncClient(timeout=LIMIT_S) as browser:
        denied = await browser.post(begun.headers["location"], data={"action": "deny"})
    back = urlsplit(denied.headers["location"])
    answer = await anybody.get(f"{back.path}?{back.query}&state={state}&error_description=Call+555")
    assert answer.status_code == 403 and "has signed no one in: access_denied." in answer.text
    assert "555" not in answer.text


async def test_a_provider_that_has_failed_has_refused_no_one(anybody: Client, provider: Provider) -> None:
    begun = await anybody.get("/admin/sign-in/oidc")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    answer = await anybody.get(f"/admin/sign-in/oidc/callback?error=server_error&state={state}")
    assert answer.status_code == 503 and "cannot sign anyone in now: server_error." in answer.text


@pytest.mark.parametrize(("described", "sender"), [({}, "https://evil.example"), (NAMES_ITSELF, None)])
async def test_an_answer_of_another_provider_is_not_sent_to_this_one(
    anybody: Client, provider: Provider, described: dict[str, Any], sender: str | None
) -> None:
    provider.described = described
    for more in ({}, {"error": "access_denied"}):
        back = await at_provider(anybody, "ada")
        answer = await anybody.get(f"{back}&{urlencode(more | ({'iss': sender} if sender else {}))}")
        assert answer.status_code == 401 and "comes from another identity provider" in answer.text
    assert provider.requests.count("/oauth2/token") == 0
    assert (await anybody.get(await at_provider(anybody, "ada") + f"&iss={provider.url}")).status_code == 303


async def test_a_secret_goes_the_way_that_the_client_was_registered_with(anybody: Client, provider: Provider) -> None:
    provider.in_form_only = True
    provider.described = {"token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]}
    assert (await sign_in(anybody)).status_code == 303
    assert provider.requests.count("/oauth2/token") == 2


async def test_an_encrypted_token_is_said_with_the_way_out(anybody: Client, provider: Provider) -> None:
    provider.sign = lambda claims: "a.b.c.d.e"
    answer = await sign_in(anybody)
    assert answer.status_code == 401 and "encrypts its ID tokens: turn that off there" in answer.text


async def test_groups_that_are_too_many_for_a_token_are_not_called_missing(anybody: Client, provider: Provider) -> None:
    provider.claims = lambda claims: claims | {"_claim_names": {"groups": "src1"}, "groups": None}
    assert "guest is in too many groups" in (await sign_in(anybody, "guest")).text


async def test_a_guessed_code_is_refused_and_soon_not_looked_at(anybody: Client, provider: Provider) -> None:
    for number in range(6):
        back = await at_provider(anybody, "ada")
        state = parse_qs(urlsplit(back).query)["state"][0]
        answer = await anybody.get("/admin/sign-in/oidc/callback", params={"code": f"guess {number}", "state": state})
        assert answer.status_code == (401 if number < 5 else 429), answer.text
    assert int(answer.headers["retry-after"]) >= 1 and provider.requests.count("/oauth2/token") == 5


@pytest.mark.parametrize("step", ["/.well-known", "/oauth2/token", "/jwks", "/userinfo"])
async def test_a_provider_that_is_away_is_a_sentence_and_passwords_go_on(
    anybody: Client, services: Services, provider: Provider, step: str
) -> None:
    provider.down = step
    if step == "/userinfo":
        provider.claims = lambda claims: {name: one for name, one in claims.items() if name != "groups"}
    if step == "/.well-known":
        answer = await anybody.get("/admin/sign-in/oidc")
    else:
        answer = await sign_in(anybody)
    assert answer.status_code == 503 and f"The identity provider {provider.url} answers 502" in answer.text
    assert "or with a dashboard user" in answer.text
    form = {"name": "admin", "password": "admin-password-1"}
    assert (await anybody.post("/admin/sign-in", data=form)).status_code == 303
    provider.down = ""
    assert (await sign_in(anybody)).status_code == 303


async def test_a_browser_is_not_sent_to_a_provider_that_has_gone_away(
    anybody: Client, services: Services, provider: Provider
) -> None:
    assert (await sign_in(anybody)).status_code == 303
    provider.down = "/"

    async def refused() -> bool:
        answer = await anybody.get("/admin/sign-in/oidc")
        return answer.status_code == 503 and "answers 502" in answer.text

    await wait_until_async(refused)


async def test_a_provider_at_which_nothing_listens(anybody: Client, services: Services, provider: Provider) -> None:
    configure(services, Provider(url="http://127.0.0.1:9"))
    answer = await anybody.get("/admin/sign-in/oidc")
    assert answer.status_code == 503 and "The identity provider http://127.0.0.1:9 does not answer." in answer.text
    assert (await anybody.get("/admin/sign-in")).status_code == 200


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"token_endpoint": "http://evil.example/token"}, "names no https:// address as token_endpoint"),
        ({"jwks_uri": None}, "names no https:// address as jwks_uri"),
    ],
)
async def test_a_provider_that_describes_itself_wrongly(
    anybody: Client, provider: Provider, described: dict[str, Any], sentence: str
) -> None:
    provider.described = described
    answer = await anybody.get("/admin/sign-in/oidc")
    assert answer.status_code == 503 and sentence in answer.text


async def test_groups_and_a_name_that_are_not_in_the_token_are_asked_for(anybody: Client, provider: Provider) -> None:
    provider.claims = lambda claims: {name: one for name, one in claims.items() if name != "groups"}
    assert (await sign_in(anybody)).status_code == 303
    assert provider.requests.count("/userinfo") == 1
    provider.claims = lambda claims: {name: one for name, one in claims.items() if name != "preferred_username"}
    assert (await sign_in(anybody)).status_code == 303
    assert "Signed in as ada, operator" in (await anybody.get("/admin/queues")).text
    provider.claims = lambda claims: (
        {name: one for name, one in claims.items() if name != "groups"} | {"sub": "another"}
    )
    anybody.cookies.clear()
    assert (await sign_in(anybody)).status_code == 401


async def test_groups_at_the_end_of_a_path_and_verified_addresses(
    anybody: Client, services: Services, provider: Provider
) -> None:
    configure(services, provider, oidc_groups_claim="realm_access.roles")
    provider.claims = lambda claims: claims | {"realm_access": {"roles": ["ops"]}}
    assert (await sign_in(anybody, "guest")).status_code == 303
    configure(
        services, provider, oidc_groups_claim="email", oidc_roles=parse_group_rights("ada@company.example=operator")
    )
    for verified, status_code in ((None, 403), (False, 403), (True, 303)):
        anybody.cookies.clear()
        provider.claims = lambda claims, verified=verified: claims | {"email_verified": verified}  # type: ignore[misc]  # bound per turn
        assert (await sign_in(anybody)).status_code == status_code


async def test_a_public_client_has_pkce_alone(anybody: Client, services: Services, provider: Provider) -> None:
    provider.secret = ""
    configure(services, provider, oidc_client_secret=None)
    assert (await sign_in(anybody)).status_code == 303


async def test_other_roles_of_the_groups_end_the_sessions(
    anybody: Client, services: Services, provider: Provider
) -> None:
    await sign_in(anybody)
    assert (await anybody.get("/admin/queues")).status_code == 200
    configure(services, provider, oidc_roles=parse_group_rights("ops=viewer"))
    assert (await anybody.get("/admin/queues")).status_code == 401


async def test_only_pages_of_ours_are_gone_on_to(anybody: Client) -> None:
    for goal in ("https://evil.example", "//evil.example", "/admin/\\evil", "/admin/" + "a" * 5_000):
        assert (await sign_in(anybody, next=goal)).headers["location"] == "/admin/queues"


async def test_without_a_provider_there_is_no_such_page(anybody: Client, services: Services) -> None:
    services.oidc = None
    for path in ("/admin/sign-in/oidc", "/admin/sign-in/oidc/callback"):
        assert (await anybody.get(path)).status_code == 404
    assert "Sign in with" not in (await anybody.get("/admin/sign-in")).text
