"""Pages of a past moment: what the pages of queues show where the address has `at`."""

from collections.abc import Sequence
from typing import Any

from litestar import Request
from litestar.response import Template

from dashboard.auth import User
from dashboard.past.figures import past_figures
from dashboard.past.moment import read_past
from dashboard.past.strips import finer_strips, month_strip
from dashboard.rendering import render
from service.lib.clock import now_ms
from service.services import Services


async def past_page(
    request: Request[User, Any, Any], services: Services, queues: Sequence[str], title: str
) -> Template:
    """The queues at the moment of the address. It does not refresh: what is past does not change. Raises Refused (400)."""
    query = request.query_params
    past = read_past(str(query.get("at", "")), str(query.get("each", "")), now_ms())
    return render(
        request,
        "past/page.html",
        title=title,
        here=request.url.path,
        past=past,
        figures=await past_figures(services, queues, past),
        month=await month_strip(services, queues, past.now_ms, past),
        strips=await finer_strips(services, queues, past),
    )
