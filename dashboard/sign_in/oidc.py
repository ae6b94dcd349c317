"""/admin/sign-in/oidc: the way to the identity provider, and the way back from it."""

import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response import Redirect
from redis.exceptions import RedisError

from dashboard.authentication import COOKIE as SESSION_COOKIE
from dashboard.authentication import OIDC, SIGN_IN, provider_digest
from dashboard.sign_in.page import record_sign_in, session_cookie, sign_in_form, tls, within
from service.access import keys
from service.access.failed_attempts import Attempt, Kind, TooManyFailures
from service.access.oidc import Identity, NotSignedIn, Oidc, ProviderAway, error_code
from service.access.pending_sign_in import COOKIE_MAX, LIFE_S, Pending, opened, sealed
from service.api.auth import address_of
from service.api.dependencies import ServicesDep
from service.services import Services
from settings.groups import Rights, rights_of

COOKIE = "offload_pending_sign_in"
PATH = "/oidc"
CALLBACK = PATH + "/callback"

CODE_MAX = 4_096
"""Characters of an authorization code: a stranger's address is not sent on at any length."""

AGAIN = "This sign-in was begun in another browser or tab, or more than ten minutes ago. Sign in again."
AWAY = "Sign in later, or with a dashboard user's password."


AWAY_CODES = ("server_error", "temporarily_unavailable")
"""Codes of a provider that has failed, and has refused no one (RFC 6749, 4.1.2.1)."""


class Refused(Exception):
    """A sign-in that has failed: a sentence, its status, and whether it counts as a guess."""

    def __init__(self, sentence: str, status_code: int, *, guess: bool = False, user: str = "") -> None:
        super().__init__(sentence)
        self.status_code, self.guess, self.user = status_code, guess, user


@get(PATH, name="sign-in-oidc")
async def to_provider(services: ServicesDep, next: FromQuery[str] = "") -> Response[Any]:
    """303 to the provider; 503 and the form while that is away."""
    provider, pending = _provider(services), Pending(within(next))
    if len(value := sealed(pending, services.settings.link_key)) > COOKIE_MAX:
        pending = Pending(within(""))
        value = sealed(pending, services.settings.link_key)
    try:
        url = await provider.authorization_url(pending, _redirect_uri(services))
    except ProviderAway as error:
        return sign_in_form(services, next=pending.goal, problem=f"{error} {AWAY}", status_code=503)
    return Redirect(url, status_code=303, headers={"Cache-Control": "no-store"}, cookies=[_cookie(services, value)])


@get(CALLBACK, name="sign-in-oidc-callback")
async def from_provider(request: Request[Any, Any, Any], services: ServicesDep) -> Response[Any]:
    """Begin a session. 400 for a sign-in that was not begun here, 401 for one that cannot be verified, 403 for one without
    a right, 429 after too many, 503 while the provider is away; each with the form.
    """
    code, state = (request.query_params.get(name, "") for name in ("code", "state"))
    provider, address, gone = _provider(services), address_of(request.scope), _cookie(services, "")
    pending = opened(request.cookies.get(COOKIE, ""), services.settings.link_key)
    attempt = Attempt(Kind.OIDC, address, f"{state}{code}")
    goal = pending.goal if pending else within("")
    try:
        services.failed_attempts.check(attempt)
        identity = await _identity(services, provider, pending, request.query_params)
        rights = await _rights(services, identity)
    except (Refused, TooManyFailures, ProviderAway) as refusal:
        problem, status_code, headers = str(refusal), 503, dict[str, str]()
        if isinstance(refusal, TooManyFailures):
            status_code, headers = 429, {"Retry-After": str(refusal.retry_after_s)}
        else:
            user = refusal.user if isinstance(refusal, Refused) else ""
            failed = Attempt(
                Kind.OIDC, address, f"{state}{code}", user=user, known=bool(user), reason=f"oidc: {problem}"
            )
            if isinstance(refusal, Refused):
                status_code = refusal.status_code
            else:
                problem = f"{problem} {AWAY}"
            count = services.failed_attempts
            (count.failed if isinstance(refusal, Refused) and refusal.guess else count.refused)(failed)
        answer = sign_in_form(services, next=goal, problem=problem, status_code=status_code, headers=headers)
        answer.set_cookie(gone)
        return answer
    token = await services.sessions.begin(
        identity.name,
        source=OIDC,
        credential=provider_digest(services),
        role=str(rights.role),
        address=address,
        browser=request.headers.get("user-agent", ""),
        replaces=request.cookies.get(SESSION_COOKIE, ""),
        rights=rights,
        id_token=identity.id_token,
    )
    await record_sign_in(services, request, identity.name, str(rights.role), f"oidc; subject {identity.subject[:200]}")
    return Redirect(goal, status_code=303, cookies=[gone, session_cookie(request, services, token)])


async def _identity(services: Services, provider: Oidc, pending: Pending | None, answer: Mapping[str, str]) -> Identity:
    """The person who comes back with the provider's answer. Raises Refused, ProviderAway."""
    state, code, error = (answer.get(name, "") for name in ("state", "code", "error"))
    if pending is None:
        raise Refused(AGAIN, 400)
    if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), pending.state.encode()):
        raise Refused(AGAIN, 400, guess=True)
    await _use_once(services, pending)
    try:
        await provider.check_sender(answer.get("iss"))
    except NotSignedIn as refusal:
        raise Refused(str(refusal), 401, guess=True) from refusal
    if error in AWAY_CODES:
        raise ProviderAway(f"The identity provider {provider.issuer} says that it cannot sign anyone in now: {error}.")
    if error:
        raise Refused(f"The identity provider has signed no one in: {error_code(error)}.", 403)
    if not code or len(code) > CODE_MAX:
        raise Refused("The identity provider sent no code. Sign in again.", 400)
    try:
        return await provider.identify(code, pending, _redirect_uri(services))
    except NotSignedIn as refusal:
        raise Refused(str(refusal), 401, guess=True) from refusal


async def _use_once(services: Services, pending: Pending) -> None:
    """Note that a sign-in has come back. Raises Refused for one that had."""
    name = keys.returned(hashlib.sha256(pending.state.encode()).hexdigest())
    # While the queue server is away the provider alone sees to it: a code of its is good for one use.
    with contextlib.suppress(RedisError, OSError):
        if not await services.redis.set(name, 1, nx=True, ex=LIFE_S):
            raise Refused(AGAIN, 400, guess=True)


async def _rights(services: Services, identity: Identity) -> Rights:
    """Rights of the person's groups. Raises Refused where there are none, or the name is another user's."""
    settings, name = services.settings, identity.name
    if name in settings.dashboard_users or await services.users.find(name) is not None:
        sentence = f"{name} is also a dashboard user with a password, and two people of one name cannot be told apart."
        raise Refused(f"{sentence} Ask {settings.oidc_contact}.", 403, user=name)
    rights = rights_of(identity.groups, settings.oidc_roles)
    if rights is None and identity.groups_left_out:
        sentence = f"{name} is in too many groups for the identity provider to send them, so none of them counts here."
        raise Refused(f"{sentence} Ask {settings.oidc_contact}.", 403, user=name)
    if rights is None:
        groups = ", ".join(settings.oidc_roles)
        sentence = f"{name} is in none of the groups that may sign in here: {groups}. Ask {settings.oidc_contact}."
        raise Refused(sentence, 403, user=name)
    return rights


def _provider(services: Services) -> Oidc:
    if services.oidc is None:
        raise NotFoundException("No identity provider is configured here.")
    return services.oidc


def _redirect_uri(services: Services) -> str:
    return f"{services.settings.links_url}{SIGN_IN}{CALLBACK}"


def _cookie(services: Services, value: str) -> Cookie:
    # Lax, not Strict: the browser comes back with it from the provider's site.
    return Cookie(
        key=COOKIE, value=value, path=SIGN_IN, httponly=True, samesite="lax", max_age=LIFE_S if value else 0,
        secure=tls(services),
    )  # fmt: skip
