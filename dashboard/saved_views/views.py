"""GET /admin/views: the saved views, and the form that saves the filter in the address as one."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, get
from litestar.response import Template

from dashboard.auth import PERSONAL_QUERY, User
from dashboard.flash_messages import NOTICES
from dashboard.jobs.filters import PERSONAL_FILTERS, Filter, from_address
from dashboard.jobs.searching import require_readable
from dashboard.rendering import render
from dashboard.saved_views.links import links, text_of
from service.api.dependencies import ServicesDep
from service.database.saved_views import NAME_MAX, SavedViews
from service.services import Services


@get("/views", name="views", opt={PERSONAL_QUERY: PERSONAL_FILTERS})
async def views_page(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    chosen = from_address(request.query_params)
    require_readable(chosen, request.user)
    return await shown(request, services, chosen)


@get("/views/palette")
async def views_palette(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    """The views as entries of the palette, which asks for them once it is opened."""
    found = await links(SavedViews(services.database), request.user)
    return render(request, "saved_views/palette.html", links=found)


async def shown(
    request: Request[User, Any, Any],
    services: Services,
    chosen: Filter,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: str = "",
    status_code: int = 200,
) -> Template:
    """The page, with a form for `chosen` where it filters anything, as it was typed where it was refused."""
    return render(
        request,
        "saved_views/page.html",
        status_code=status_code,
        links=await links(SavedViews(services.database), request.user),
        chosen=chosen,
        text=text_of(chosen),
        typed=typed or {},
        wrong=wrong,
        name_max=NAME_MAX,
        notice=NOTICES.get(request.query_params.get("notice", "")),
    )
