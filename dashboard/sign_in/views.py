"""/admin/sign-in: the page, and what its form begins."""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from dashboard.authentication import COOKIE, SIGN_IN, authenticate, user_of_session
from dashboard.csrf import require_same_origin
from dashboard.error_pages import explain
from dashboard.flash_messages import NOTICES
from dashboard.preferences.choice import apply_choice
from dashboard.proxy_sign_in import ProxyRefusal, refusal_page, user_of_proxy
from dashboard.sign_in.oidc import from_provider, to_provider
from dashboard.sign_in.page import record_sign_in, session_cookie, sign_in_form, within
from service.access.failed_attempts import TooManyFailures
from service.api import EXCEPTION_HANDLERS
from service.api.auth import address_of
from service.api.dependencies import ServicesDep
from service.lib.text import NUL

FORM_BYTES = 16_384
"""A name, a password, and where to go on."""


@get("/", name="sign-in")
async def sign_in_page(
    request: Request[Any, Any, Any], services: ServicesDep, next: FromQuery[str] = "", notice: FromQuery[str] = ""
) -> Template | Redirect:
    """The form; straight on for a browser that has signed in, or that a proxy signs in."""
    if await user_of_proxy(services, request):
        return Redirect(within(next), status_code=303)
    token = request.cookies.get(COOKIE, "")
    if token and await user_of_session(services, token, uses=True):
        return Redirect(within(next), status_code=303)
    return sign_in_form(services, next=within(next), notice=NOTICES.get(notice))


@post("/", status_code=303)
async def sign_in(request: Request[Any, Any, Any], services: ServicesDep) -> Response[Any]:
    """Begin a session. 401 and the form again for a wrong name or password, 429 after too many of them."""
    require_same_origin(request)
    form = await request.form()
    name, password, goal = (str(form.get(field, "")) for field in ("name", "password", "next"))
    goal, problem, status_code, headers = within(goal), "", 401, dict[str, str]()
    try:
        found = None
        if password and NUL not in name + password:
            found = await authenticate(services, name.strip(), password, address_of(request.scope))
        problem = "" if found else "There is no such user, or the password is another one."
    except TooManyFailures as error:
        found, problem, status_code = None, str(error), 429
        headers = {"Retry-After": str(error.retry_after_s)}
    if found is None:
        return sign_in_form(
            services, next=goal, name=name[:255], problem=problem, status_code=status_code, headers=headers
        )
    token = await services.sessions.begin(
        found.user.name,
        source="password",
        credential=found.credential,
        role=str(found.user.role),
        address=address_of(request.scope),
        browser=request.headers.get("user-agent", ""),
        replaces=request.cookies.get(COOKIE, ""),
    )
    await record_sign_in(services, request, found.user.name, str(found.user.role))
    return Redirect(goal, status_code=303, cookies=[session_cookie(request, services, token)])


async def before_sign_in(request: Request[Any, Any, Any]) -> None:
    """Show the page in the language and the zone that this browser chose or asks for."""
    apply_choice(request)


def _no_user(request: Request[Any, Any, Any], error: Exception) -> Any:
    return explain(request, error)


sign_in_routes = Router(
    SIGN_IN,
    route_handlers=[sign_in_page, sign_in, to_provider, from_provider],
    before_request=before_sign_in,
    exception_handlers={**dict.fromkeys(EXCEPTION_HANDLERS, _no_user), ProxyRefusal: refusal_page},
    request_max_body_size=FORM_BYTES,
    include_in_schema=False,
)
