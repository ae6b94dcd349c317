"""POST /admin/sign-out: the session ends on the server, so that a copy of its cookie opens nothing either."""

from typing import Any

from litestar import Request, Response, post
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION
from dashboard.auth import User
from dashboard.authentication import OIDC, SIGN_IN
from dashboard.csrf import FOR_VIEWERS
from dashboard.sign_in.page import session_cookie
from service.access.oidc import ProviderAway
from service.api.dependencies import ServicesDep
from service.database.dashboard_users import DashboardSession
from service.services import Services


@post("/sign-out", status_code=303, opt={ACTION: "session.ended", FOR_VIEWERS: True})
async def sign_out(request: Request[User, Any, Any], services: ServicesDep) -> Response[Any]:
    """303 to the sign-in page; for a user of an identity provider that has a page to sign out at, the way there."""
    ended = await services.sessions.end(request.user.session) if request.user.session else None
    cookies = [session_cookie(request, services, "")]
    if url := await _provider_url(services, ended):
        # A page that goes on, and no redirect: the pages' policy lets a form lead to no other site.
        return Template(
            template_name="sign_in/signed_out.html",
            context={"url": url},
            status_code=200,
            headers={"Cache-Control": "no-store"},
            cookies=cookies,
        )
    return Redirect(f"{SIGN_IN}?notice=session-ended", status_code=303, cookies=cookies)


async def _provider_url(services: Services, ended: DashboardSession | None) -> str:
    """Address at which the provider's own session ends; empty where there is none, or the provider is away."""
    if services.oidc is None or ended is None or ended.source != OIDC:
        return ""
    try:
        return await services.oidc.sign_out_url(ended.id_token or "", services.settings.links_url + SIGN_IN)
    except ProviderAway:
        return ""
