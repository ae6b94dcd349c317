"""POST /admin/sign-out: the session ends on the server, so that a copy of its cookie opens nothing either."""

from typing import Any

from litestar import Request, post
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION
from dashboard.auth import User
from dashboard.authentication import SIGN_IN
from dashboard.csrf import FOR_VIEWERS
from dashboard.sign_in.views import session_cookie
from service.api.dependencies import ServicesDep


@post("/sign-out", status_code=303, opt={ACTION: "session.ended", FOR_VIEWERS: True})
async def sign_out(request: Request[User, Any, Any], services: ServicesDep) -> Redirect:
    if request.user.session:
        await services.sessions.end(request.user.session)
    cookies = [session_cookie(request, services, "")]
    return Redirect(f"{SIGN_IN}?notice=session-ended", status_code=303, cookies=cookies)
