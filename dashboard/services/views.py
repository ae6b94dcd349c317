"""GET /admin/services: external services that job types share, with their use, their bounds and their pauses."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.durations import ENDS
from dashboard.flash_messages import NOTICES
from dashboard.live import live_or_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.mail.server_status import ServerStatus
from settings.services import SMTP


@get(["/services", "/services/live"], name="services")
async def services_page(
    request: Request[User, Any, Any], services: ServicesDep, notice: FromQuery[str] = ""
) -> Template:
    """The page, and the fragment that keeps it fresh."""
    return render(
        request,
        live_or_page(request, "services"),
        used=await services.runtime.gate.list(),
        absence=await ServerStatus(services.redis).read(),
        mail=SMTP,
        ends=ENDS,
        notice=NOTICES.get(notice),
    )
