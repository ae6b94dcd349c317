"""The form to sign in, and the session that a sign-in begins: for passwords and for an identity provider."""

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Template

from dashboard.authentication import COOKIE, SIGN_IN
from service.access.sessions import LIFE
from service.api.auth import address_of
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services


def sign_in_form(
    services: Services, *, next: str, name: str = "", problem: str = "", notice: Any = None, status_code: int = 200,
    headers: dict[str, str] | None = None,
) -> Template:  # fmt: skip
    """The page, with a problem or a notice above the form."""
    provider = services.settings.oidc_button if services.oidc else ""
    return Template(
        template_name="sign_in/page.html",
        context={"next": next, "name": name, "problem": problem, "notice": notice, "provider": provider},
        status_code=status_code,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def within(goal: str) -> str:
    """An address that a form or a link brought, if it is a page of ours; else the first page."""
    fits = goal.startswith("/admin/") and not goal.startswith(SIGN_IN) and "\\" not in goal and goal.isprintable()
    return goal if fits else "/admin/queues"


def tls(services: Services) -> bool:
    """True where browsers reach the installation by https."""
    return services.settings.links_url.startswith("https://")


def session_cookie(request: Request[Any, Any, Any], services: Services, token: str) -> Cookie:
    """The cookie of a session; with an empty token, what removes it."""
    secure = request.url.scheme == "https" or tls(services)
    # Lax, not Strict: a link in a mail to a page here must find the session.
    return Cookie(
        key=COOKIE,
        value=token,
        path="/admin",
        httponly=True,
        samesite="lax",
        secure=secure,
        max_age=int(LIFE.total_seconds()) if token else 0,
    )


async def record_sign_in(
    services: Services, request: Request[Any, Any, Any], name: str, role: str, detail: str = ""
) -> None:
    """Write the sign-in to the audit log."""
    await services.audit.record(
        AuditEntry(
            actor=name,
            role=role,
            action="session.begun",
            target=Target("user", name),
            owner=f"dashboard:{name}",
            detail=detail,
            address=address_of(request.scope) or None,
        )
    )
