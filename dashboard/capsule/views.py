"""GET /admin/capsule: the form of a capsule, and the file."""

from datetime import UTC, datetime
from typing import Any

from litestar import Request, get
from litestar.response import Stream, Template

from dashboard.auth import User
from dashboard.capsule.sections import CapsuleWriter
from dashboard.capsule.span import LONGEST_DAYS, read_span
from dashboard.formats import typed
from dashboard.rendering import UNSTORED, render
from service.api.dependencies import ServicesDep
from service.lib.clock import now_ms


@get("/capsule", name="capsule")
async def capsule_page(request: Request[User, Any, Any]) -> Template:
    """The form, with the span of the address or the last hour. Raises Refused (400) for a span that cannot be."""
    span = read_span(*_wanted(request), now_ms())
    return render(
        request, "capsule/page.html", first=typed(span.first_ms), last=typed(span.last_ms), longest_days=LONGEST_DAYS
    )


@get("/capsule/file", name="capsule-file")
async def capsule_file(request: Request[User, Any, Any], services: ServicesDep) -> Stream:
    """The capsule as one HTML file, written as it is sent. Raises Refused (400) for a span that cannot be."""
    span = read_span(*_wanted(request), now_ms())
    begin = datetime.fromtimestamp(span.first_ms / 1000, UTC)
    return Stream(
        CapsuleWriter(request, services, span).write(),
        media_type="text/html; charset=utf-8",
        headers={**UNSTORED, "Content-Disposition": f'attachment; filename="capsule-{begin:%Y%m%d-%H%M}.html"'},
    )


def _wanted(request: Request[User, Any, Any]) -> tuple[str, str]:
    return str(request.query_params.get("from", "")), str(request.query_params.get("to", ""))
