"""GET /admin/usage: metered use of all owners in a month, as a page and as CSV."""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.rendering import UNSTORED, render
from service.api.dependencies import ServicesDep
from service.database.column_types import utc_now
from service.database.usage import month_name, month_span
from service.monitoring.usage_csv import checked_month, usage_csv


@get("/usage", name="usage")
async def usage_page(request: Request[User, Any, Any], services: ServicesDep, month: FromQuery[str] = "") -> Template:
    """The page; of the present month where none is asked for."""
    present = month_name(utc_now())
    shown = checked_month(month) if month else present
    begin, following = month_span(shown)
    return render(
        request,
        "usage/page.html",
        month=shown,
        rows=await services.metering.of_month(shown),
        before=month_name(begin - timedelta(days=1)),
        following=month_name(following) if shown < present else None,
        present=present,
    )


@get("/usage.csv", name="usage-csv")
async def usage_csv_file(services: ServicesDep, month: FromQuery[str] = "") -> Response[str]:
    """The same as CSV, a line for each owner."""
    shown = checked_month(month) if month else month_name(utc_now())
    return Response(
        usage_csv(await services.metering.of_month(shown)),
        media_type="text/csv",
        headers={**UNSTORED, "Content-Disposition": f'attachment; filename="usage-{shown}.csv"'},
    )
