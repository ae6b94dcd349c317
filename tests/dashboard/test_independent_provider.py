"""Signing in by an OpenID Connect provider that others made and had certified, with a real browser and without one."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio
from httpx import AsyncClient, Response
from joserfc.jwk import RSAKey
from sqlalchemy import delete

from dashboard.authentication import COOKIE
from service.access.failed_attempts import FailedAttempts
from service.access.id_tokens import LEEWAY_S
from service.access.oidc import Oidc
from service.database import DashboardSession
from settings.groups import parse_group_rights
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker
from tests.panva import SECRET, Panva, client, consent, installed, signing_keys
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.slow

OURS, OTHERS = "6f4f0c0e-3a55-4f0b-9d0e-0d5f2f8a1b11", "11111111-2222-4333-8444-555555555555"
OPS_GUID = "0b6f5a8e-90a1-4a2f-8a55-2f4f9d0e1b22"

PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"preferred_username": "ada", "groups": ["ops", "everyone"]},
    "guest": {"preferred_username": "guest", "groups": ["others"]},
    "keycloak": {
        "preferred_username": "kim",
        "groups": ["/company/ops", "/everyone"],
        "realm_access": {"roles": ["offline_access", "ops"]},
        "resource_access": {"offload.company.example": {"roles": ["ops"]}},
    },
    "entra": {"preferred_username": "eva@company.example", "groups": [OPS_GUID], "tid": OURS, "roles": ["Offload.Ops"]},
    "entra-elsewhere": {"preferred_username": "eve@other.example", "groups": [OPS_GUID], "tid": OTHERS},
    "entra-many": {
        "preferred_username": "max@company.example",
        "tid": OURS,
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x/users/y/getMemberObjects"}},
    },
    "google": {"email": "gus@company.example", "email_verified": True, "hd": "company.example"},
    "google-private": {"email": "gus@gmail.example", "email_verified": True},
}

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("panva"))


@pytest.fixture(scope="module")
def callback(served: tuple[Any, str]) -> str:
    return f"{served[1]}/admin/sign-in/oidc/callback"


@pytest.fixture(scope="module")
def panva(folder: Path, callback: str) -> Iterator[Panva]:
    """The provider that most tests share."""
    clients = [
        client(callback),
        client(callback, "posting", token_endpoint_auth_method="client_secret_post"),
        client(callback, "public", token_endpoint_auth_method="none", client_secret=None),
        client(callback, "pairwise", subject_type="pairwise"),
        client(callback, "jwt-userinfo", userinfo_signed_response_alg="RS256"),
        client(
            callback,
            "encrypted",
            id_token_encrypted_response_alg="RSA-OAEP",
            jwks={"keys": [RSAKey.generate_key(2048, {"use": "enc", "kid": "enc"}).as_dict(private=False)]},
        ),
        *(client(callback, alg, id_token_signed_response_alg=alg) for alg in ALGORITHMS),
    ]
    provider = Panva(folder, [{k: v for k, v in one.items() if v is not None} for one in clients], PEOPLE)
    yield provider.start()
    provider.stop()


@pytest.fixture
def own(folder: Path, callback: str) -> Iterator[Callable[..., Panva]]:
    """Starts providers of a test's own."""
    started: list[Panva] = []

    def start(**more: Any) -> Panva:
        started.append(Panva(folder, [client(callback)], PEOPLE, **more).start())
        return started[-1]

    yield start
    for one in started:
        one.stop()


Configure = Callable[..., None]


@pytest_asyncio.fixture(loop_scope="session")
async def configure(made: Maker, served: tuple[Any, str]) -> AsyncIterator[Configure]:
    """Has the installation know a provider; without the sessions and the failures of the test before."""
    services, before = made.services, made.services.settings
    services.failed_attempts = FailedAttempts(services.redis, services.audit, b"x" * 32, per_minute=50)

    def set_to(provider: Panva | str, roles: str = "ops=operator; everyone=viewer", **more: Any) -> None:
        given = {
            "public_url": served[1],
            "oidc_issuer": provider if isinstance(provider, str) else provider.issuer,
            "oidc_client_id": "offload",
            "oidc_client_secret": SECRET,
            "oidc_roles": parse_group_rights(roles),
            **more,
        }
        services.settings = before.model_copy(update=given)
        services.oidc = Oidc(services.settings)

    yield set_to
    await services.failed_attempts.close()
    services.settings, services.oidc = before, None
    async with services.database.writing() as session:
        await session.execute(delete(DashboardSession))
    services.sessions._found.clear()


async def back_from(ours: Client, name: str, **more: str) -> str:
    """Begin at the sign-in page and sign in at the provider; the address that it leads back to. `more` is added there."""
    begun = await ours.get("/admin/sign-in/oidc")
    assert begun.status_code == 303, begun.text
    url = begun.headers["location"] + ("&" + urlencode(more) if more else "")
    async with AsyncClient(timeout=LIMIT_S) as browser:
        return await consent(browser, url, name)


async def sign_in(ours: Client, name: str = "ada") -> Response:
    return await ours.get(await back_from(ours, name))


async def signed_in_as(ours: Client, words: str) -> bool:
    name, _, role = words.partition(", ")
    return f"Signed in as {name} ({role})" in (await ours.get("/admin/queues")).text


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_tokens_of_every_common_signature(anybody: Client, configure: Configure, panva: Panva, alg: str) -> None:
    configure(panva, oidc_client_id=alg)
    answer = await sign_in(anybody)
    assert answer.status_code == 303, (answer.text, panva.log)
    assert await signed_in_as(anybody, "ada, operator")


@pytest.mark.parametrize("client_id", ["posting", "public", "pairwise"])
async def test_clients_of_every_kind(anybody: Client, configure: Configure, panva: Panva, client_id: str) -> None:
    configure(panva, oidc_client_id=client_id, oidc_client_secret=None if client_id == "public" else SECRET)
    assert (await sign_in(anybody)).status_code == 303, panva.log
    assert await signed_in_as(anybody, "ada, operator")


async def test_a_pairwise_subject_names_a_person_without_a_name(
    anybody: Client, configure: Configure, panva: Panva
) -> None:
    configure(panva, oidc_client_id="pairwise", oidc_name_claim="nickname")
    assert (await sign_in(anybody)).status_code == 303
    assert await signed_in_as(anybody, "pairwise-pairwise-ada, operator")


async def test_a_wrong_secret_opens_nothing(anybody: Client, configure: Configure, panva: Panva) -> None:
    for client_id in ("offload", "posting"):
        configure(panva, oidc_client_id=client_id, oidc_client_secret=SECRET + "x")
        answer = await sign_in(anybody)
        assert answer.status_code == 401 and "refused the sign-in: invalid_client" in answer.text


@pytest.mark.parametrize(
    ("client_id", "status_code", "sentence"),
    [("encrypted", 401, "encrypts its ID tokens"), ("jwt-userinfo", 503, "signs or encrypts what it says of a user")],
)
async def test_what_cannot_be_read_is_said_with_the_way_out(
    anybody: Client, configure: Configure, panva: Panva, client_id: str, status_code: int, sentence: str
) -> None:
    configure(panva, oidc_client_id=client_id, oidc_name_claim="nickname")
    answer = await sign_in(anybody)
    assert answer.status_code == status_code and sentence in answer.text and COOKIE not in anybody.cookies


AS_PROVIDERS_SEND_IT = {
    "keycloak-paths": ("keycloak", "/company/ops=operator", {}, "kim, operator"),
    "keycloak-realm-roles": ("keycloak", "ops=operator", {"oidc_groups_claim": "realm_access.roles"}, "kim, operator"),
    "keycloak-client-roles": (
        "keycloak",
        "ops=operator",
        {"oidc_groups_claim": "resource_access.offload.company.example.roles"},
        "kim, operator",
    ),
    "entra-guids": ("entra", f"{OPS_GUID}=operator", {}, "eva@company.example, operator"),
    "entra-app-roles": (
        "entra",
        "Offload.Ops=operator in pdf-processing",
        {"oidc_groups_claim": "roles"},
        "eva@company.example, operator",
    ),
    "google-domain": (
        "google",
        "company.example=viewer",
        {"oidc_groups_claim": "hd", "oidc_name_claim": "email"},
        "gus@company.example, viewer",
    ),
    "google-person": (
        "google",
        "gus@company.example=operator",
        {"oidc_groups_claim": "email", "oidc_name_claim": "email"},
        "gus@company.example, operator",
    ),
}


@pytest.mark.parametrize("case", AS_PROVIDERS_SEND_IT)
async def test_groups_as_known_providers_send_them(
    anybody: Client, configure: Configure, panva: Panva, case: str
) -> None:
    name, roles, more, shown = AS_PROVIDERS_SEND_IT[case]
    configure(panva, roles, **more)
    answer = await sign_in(anybody, name)
    assert answer.status_code == 303, answer.text
    assert await signed_in_as(anybody, shown)


async def test_people_whom_the_groups_do_not_admit(anybody: Client, configure: Configure, panva: Panva) -> None:
    configure(panva)
    answer = await sign_in(anybody, "guest")
    assert answer.status_code == 403 and "guest is in none of the groups" in answer.text
    configure(panva, "company.example=viewer", oidc_groups_claim="hd", oidc_name_claim="email")
    answer = await sign_in(anybody, "google-private")
    assert answer.status_code == 403 and "gus@gmail.example is in none of the groups" in answer.text
    configure(panva, f"{OPS_GUID}=operator")
    answer = await sign_in(anybody, "entra-many")
    assert answer.status_code == 403 and "max@company.example is in too many groups" in answer.text
    assert COOKIE not in anybody.cookies


async def test_an_issuer_for_all_tenants_admits_those_that_are_named(
    anybody: Client, configure: Configure, own: Callable[..., Panva]
) -> None:
    provider = own(path=f"/{OURS}/v2.0")
    provider.described = {"issuer": f"{provider.origin}/{{tenantid}}/v2.0"}
    provider.start()
    everyones, roles = f"{provider.origin}/organizations/v2.0", f"{OPS_GUID}=operator"
    configure(everyones, roles)
    answer = await anybody.get("/admin/sign-in/oidc")
    assert answer.status_code == 503 and "name yours in OFFLOAD_OIDC_ISSUER, or in OFFLOAD_OIDC_TENANTS" in answer.text
    configure(everyones, roles, oidc_tenants=(OURS,))
    assert (await sign_in(anybody, "entra")).status_code == 303
    assert await signed_in_as(anybody, "eva@company.example, operator")
    anybody.cookies.clear()
    # A tenant that is not named, and one whose tokens another tenant's issuer signs.
    assert (await sign_in(anybody, "entra-elsewhere")).status_code == 401
    configure(everyones, roles, oidc_tenants=(OTHERS,))
    assert (await sign_in(anybody, "entra")).status_code == 401
    configure(everyones, roles, oidc_tenants=(OURS, OTHERS))
    assert (await sign_in(anybody, "entra-elsewhere")).status_code == 401
    assert COOKIE not in anybody.cookies


async def test_claims_that_only_the_userinfo_endpoint_has(
    anybody: Client, configure: Configure, own: Callable[..., Panva]
) -> None:
    configure(own(at_userinfo=["preferred_username"]))
    assert (await sign_in(anybody)).status_code == 303
    assert await signed_in_as(anybody, "ada, operator")
    configure(own(at_userinfo=["preferred_username", "groups"]))
    assert (await sign_in(anybody)).status_code == 303
    assert await signed_in_as(anybody, "ada, operator")


async def test_an_answer_of_another_provider_is_not_sent_to_this_one(
    anybody: Client, configure: Configure, panva: Panva, own: Callable[..., Panva]
) -> None:
    attacker = own()
    configure(panva)
    begun = await anybody.get("/admin/sign-in/oidc")
    query = urlsplit(begun.headers["location"]).query
    # A person who was led to the attacker's provider comes back with its code (RFC 9207, 1).
    async with AsyncClient(timeout=LIMIT_S) as browser:
        back = await consent(browser, f"{attacker.origin}/auth?{query}", "ada")
    assert parse_qs(urlsplit(back).query)["iss"] == [attacker.issuer]
    answer = await anybody.get(back)
    assert answer.status_code == 401 and "comes from another identity provider" in answer.text
    # Without its name: this provider says that it always gives it.
    for changed in (r"iss=[^&]*", r"iss=[^&]*"), (r"iss=", "iss=x"):
        back = re.sub(changed[0], "" if changed[0] == changed[1] else changed[1], await back_from(anybody, "ada"))
        answer = await anybody.get(back)
        assert answer.status_code == 401 and "comes from another identity provider" in answer.text
    assert COOKIE not in anybody.cookies and "invalid_grant" not in panva.log


async def test_errors_of_the_provider_are_sentences(anybody: Client, configure: Configure, panva: Panva) -> None:
    configure(panva)
    answer = await anybody.get(await back_from(anybody, "ada", prompt="none"))
    assert answer.status_code == 403 and "has signed no one in: login_required." in answer.text
    begun = await anybody.get("/admin/sign-in/oidc")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    away = {"error": "temporarily_unavailable", "state": state, "iss": panva.issuer}
    answer = await anybody.get("/admin/sign-in/oidc/callback", params=away)
    assert answer.status_code == 503 and "cannot sign anyone in now: temporarily_unavailable." in answer.text


async def test_pkce_is_asked_for_and_sent(anybody: Client, configure: Configure, panva: Panva) -> None:
    configure(panva)
    begun = await anybody.get("/admin/sign-in/oidc")
    without = re.sub(r"&code_challenge(_method)?=[^&]*", "", begun.headers["location"])
    async with AsyncClient(timeout=LIMIT_S) as browser:
        back = await consent(browser, without, "ada")
        assert parse_qs(urlsplit(back).query)["error"] == ["invalid_request"]
        another = re.sub(r"code_challenge=[^&]*", "code_challenge=" + "A" * 43, begun.headers["location"])
        back = await consent(browser, another, "ada")
    answer = await anybody.get(back)
    assert answer.status_code == 401 and "refused the sign-in: invalid_grant" in answer.text


@pytest.mark.parametrize("ahead_s", [LEEWAY_S - 20, -(LEEWAY_S - 20)])
async def test_a_clock_that_is_a_little_wrong(
    anybody: Client, configure: Configure, own: Callable[..., Panva], ahead_s: int
) -> None:
    configure(own(ahead_s=ahead_s))
    assert (await sign_in(anybody)).status_code == 303


@pytest.mark.parametrize("ahead_s", [3_600, -3_600])
async def test_a_clock_that_is_wrong_by_an_hour(
    anybody: Client, configure: Configure, own: Callable[..., Panva], ahead_s: int
) -> None:
    configure(own(ahead_s=ahead_s))
    answer = await sign_in(anybody)
    assert answer.status_code == 401 and "ID token is not valid here" in answer.text


async def test_keys_change_and_the_provider_goes_away_while_sessions_live(
    anybody: Client, configure: Configure, own: Callable[..., Panva], served: tuple[Any, str]
) -> None:
    # A key of a curve that is unknown here stands first, as providers that prepare for others publish them.
    unknown = {"kty": "EC", "crv": "BP-256", "kid": "strange", "x": "AA", "y": "AA", "use": "sig"}
    provider = own(published=[unknown])
    configure(provider)
    assert (await sign_in(anybody)).status_code == 303
    provider.keys = signing_keys("2")
    provider.start()
    assert await signed_in_as(anybody, "ada, operator")
    async with AsyncClient(base_url=served[1], timeout=LIMIT_S) as another:
        assert (await sign_in(another)).status_code == 303
        assert await signed_in_as(another, "ada, operator")
        back = await back_from(another, "ada")
        provider.stop()
        assert await signed_in_as(anybody, "ada, operator")
        answer = await another.get(back)
        assert answer.status_code == 503 and f"The identity provider {provider.issuer} does not answer." in answer.text
    provider.start()
    # Its hint would be signed with a key that the provider no longer has, and be refused.
    out = await act(anybody, "/admin/sign-out")
    assert "id_token_hint" not in out.text and f"{provider.origin}/session/end?client_id=offload" in out.text
    assert (await sign_in(anybody)).status_code == 303
    provider.stop()
    assert (await act(anybody, "/admin/sign-out")).status_code == 303
    assert COOKIE not in anybody.cookies


async def test_an_issuer_that_calls_itself_otherwise(anybody: Client, configure: Configure, panva: Panva) -> None:
    for wrong in (f"{panva.issuer}/realms/staff", panva.issuer.replace("localhost", "127.0.0.1")):
        configure(wrong)
        answer = await anybody.get("/admin/sign-in/oidc")
        assert answer.status_code == 503 and wrong in answer.text


async def test_a_new_session_in_the_place_of_the_browsers_old_one(
    anybody: Client, configure: Configure, panva: Panva, made: Maker
) -> None:
    configure(panva)
    assert (await sign_in(anybody)).status_code == 303
    old = anybody.cookies[COOKIE]
    assert (await sign_in(anybody)).status_code == 303
    assert anybody.cookies[COOKIE] != old
    assert len(await made.services.sessions.list()) == 1
    assert (await anybody.get("/admin/queues", headers={"cookie": f"{COOKIE}={old}"})).status_code == 401
