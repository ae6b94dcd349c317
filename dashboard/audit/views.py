"""GET /admin/audit: the audit log, newest first, its filter in the address."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.exceptions import ClientException
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.list_urls import given, list_address
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.database.audit import Event
from service.database.cursors import cursor_after
from service.monitoring.audit_log import AuditFilter

PATH = "/admin/audit"
PAGE_LINES = 50
ARRIVED_MAX = 100
"""New lines that are counted one by one; of more it is said that there are more."""

FIELDS = ("actor", "action", "target", "outcome")
PAGES = {
    "job": "jobs",
    "document": "documents",
    "queue": "queues",
    "operation": "operations",
    "error": "errors",
    "template": "templates",
    "owner": "owners",
}
"""Pages of targets that have one."""


@get("/audit", name="audit")
async def audit_page(request: Request[User, Any, Any], services: ServicesDep, cursor: FromQuery[str] = "") -> Template:
    """One page of lines. Unknown parameters are passed over."""
    wanted = given(request.query_params, FIELDS)
    try:
        page = await services.audit.page(AuditFilter(**wanted), limit=PAGE_LINES, cursor=cursor or None)
    except ValueError as error:
        raise ClientException(str(error)) from None
    newest = page.events[0] if page.events else None
    since = cursor_after((newest.created_at, newest.event_id)) if newest else ""
    return render(
        request,
        "audit/page.html",
        page=page,
        given=wanted,
        fields=FIELDS,
        cursor=cursor,
        live=f"{PATH}/live?{urlencode(wanted | {'since': since})}",
        arrived=0,
        arrived_max=ARRIVED_MAX,
        address=lambda **changes: list_address(PATH, wanted | changes),
        link=_link,
    )


@get("/audit/live")
async def audit_live(request: Request[User, Any, Any], services: ServicesDep, since: FromQuery[str] = "") -> Template:
    """Number of newer lines: those that stand there never change, and must not move while they are read."""
    wanted = given(request.query_params, FIELDS)
    try:
        arrived = await services.audit.newer(AuditFilter(**wanted), since, ARRIVED_MAX)
    except ValueError as error:
        raise ClientException(str(error)) from None
    live = f"{request.url.path}?{request.url.query}"
    return render(
        request,
        "audit/live.html",
        arrived=arrived,
        arrived_max=ARRIVED_MAX,
        live=live,
        address=lambda: list_address(PATH, wanted),
    )


def _link(event: Event) -> str:
    """The page of what it was done to, where there is one."""
    noun = PAGES.get(event.target_type)
    return f"/admin/{noun}/{event.target_id}" if noun and event.target_id else ""
