"""GET /admin/queues and the fragment that keeps it fresh."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.dependencies import Figures, Month
from dashboard.fragment_cache import drawn
from dashboard.past.views import past_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from settings.queues import Queue


@get("/queues", name="queues")
async def queues_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    figures: Figures,
    month_columns: Month,
    at: FromQuery[str] = "",
) -> Template:
    """The queues now; at the moment `at`, where the address has one."""
    if at:
        return await past_page(request, services, [str(queue) for queue in Queue], "Queues")
    return render(request, "queues/page.html", overview=await figures(), month=await month_columns())


@get("/queues/live")
async def queues_live(request: Request[User, Any, Any], figures: Figures) -> Response[str]:
    overview = await figures()
    return drawn(request, overview.drawings, "queues/live.html", overview=overview)
