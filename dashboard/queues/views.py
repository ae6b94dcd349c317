"""GET /admin/queues and the fragment that keeps it fresh."""

from typing import Any

from litestar import Request, Response, get
from litestar.response import Template

from dashboard.auth import User
from dashboard.dependencies import Figures
from dashboard.fragment_cache import drawn
from dashboard.rendering import render


@get("/queues", name="queues")
async def queues_page(request: Request[User, Any, Any], figures: Figures) -> Template:
    return render(request, "queues/page.html", overview=await figures())


@get("/queues/live")
async def queues_live(request: Request[User, Any, Any], figures: Figures) -> Response[str]:
    overview = await figures()
    return drawn(request, overview.drawings, "queues/live.html", overview=overview)
