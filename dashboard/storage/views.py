"""GET /admin/storage and the fragment that keeps it fresh."""

from typing import Any

from litestar import Request, get
from litestar.response import Template

from dashboard.auth import User
from dashboard.dependencies import SharedFootprint
from dashboard.live import live_or_page
from dashboard.rendering import render


@get(["/storage", "/storage/live"], name="storage")
async def storage_page(request: Request[User, Any, Any], footprint: SharedFootprint) -> Template:
    """Weighed once for everybody who looks."""
    return render(request, live_or_page(request, "storage"), usage=await footprint())
