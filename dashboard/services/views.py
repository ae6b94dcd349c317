"""GET /admin/services: external services that job types share, with their use and their bounds."""

from typing import Any

from litestar import Request, get
from litestar.response import Template

from dashboard.auth import User
from dashboard.live import live_or_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep


@get(["/services", "/services/live"], name="services")
async def services_page(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    """The page, and the fragment that keeps it fresh."""
    return render(request, live_or_page(request, "services"), used=await services.runtime.gate.list())
