"""GET /admin/templates: every owner's templates, one of them with what a recipient would get, and that message's HTML."""

from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.flash_messages import NOTICES
from dashboard.rendering import render
from dashboard.security_headers import CONTENT_POLICY
from service.api.dependencies import ServicesDep
from service.api.templates import preview
from service.mail.templates import TemplateRows
from tasks.sdk.errors import Refused

PAGE_ROWS = 50

FRAMING_POLICY = f"{CONTENT_POLICY}; frame-src 'self'"
"""A template's own page may frame its message."""

MESSAGE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""A message is untrusted HTML: an origin of its own, no script, no form, and nothing that a sender could count.
Its styles are inline, as mail programs want them."""


@get("/templates", name="templates")
async def templates_page(
    request: Request[User, Any, Any], services: ServicesDep, before: FromQuery[str] = "", notice: FromQuery[str] = ""
) -> Template:
    rows = await TemplateRows(services.database).page(PAGE_ROWS + 1, before or None)
    return render(
        request,
        "mail_templates/page.html",
        templates=rows[:PAGE_ROWS],
        before=before,
        older=rows[PAGE_ROWS - 1].template_id if len(rows) > PAGE_ROWS else None,
        notice=NOTICES.get(notice),
    )


@get("/templates/{template_id:str}", name="template")
async def template_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    template_id: FromPath[str],
    user_id: FromQuery[str] = "",
    notice: FromQuery[str] = "",
) -> Template:
    """The texts, and what they become for a made-up recipient; for a user, when an operator asks."""
    template = await TemplateRows(services.database).of_anybody(template_id)
    message, problem, status_code = None, "", 200
    try:
        message = await preview(services, template, _recipient(request, user_id))
    except Refused as refused:
        problem, status_code = str(refused), refused.status_code
    page = render(
        request,
        "mail_templates/show.html",
        status_code=status_code,
        stored=template,
        message=message,
        problem=problem,
        user_id=user_id.strip(),
        notice=NOTICES.get(notice),
    )
    page.set_header("Content-Security-Policy", FRAMING_POLICY)
    return page


@get("/templates/{template_id:str}/message", name="template-message")
async def template_message(
    request: Request[User, Any, Any], services: ServicesDep, template_id: FromPath[str], user_id: FromQuery[str] = ""
) -> Response[bytes]:
    """The message's HTML as a document of its own, for the frame. Raises NoSuchTemplate, Refused."""
    template = await TemplateRows(services.database).of_anybody(template_id)
    message = await preview(services, template, _recipient(request, user_id))
    return Response(
        message.html.encode("utf-8", "replace"),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": MESSAGE_POLICY, "Cache-Control": "no-store"},
    )


def _recipient(request: Request[User, Any, Any], user_id: str) -> int | None:
    """Recipient that the template is tried on. A user's name and address are personal: PermissionDeniedException for a viewer."""
    wanted = user_id.strip()
    if not wanted:
        return None
    if not request.user.sees_personal:
        raise PermissionDeniedException(
            f"{request.user.name} may not see personal data: a recipient's name and address."
        )
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 19):
        raise Refused(f"There is no user {wanted[:40]}: an id is a whole number.", field="user_id")
    return int(wanted)
