"""GET /admin/owners: owners with their plans, use and limits; and one of them, with its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.fairness.owner import owner_days
from dashboard.flash_messages import NOTICES
from dashboard.list_urls import list_address
from dashboard.owners.alert_addresses import alert_addresses
from dashboard.rendering import administers, render
from service.api.dependencies import ServicesDep
from service.monitoring.owner_usage import OwnerUse
from settings.plans import PRIORITIES, Plan

PATH = "/admin/owners"

MONTHS = 12
"""Months of metered use on an owner's page."""
PAGE_ROWS = 50


@dataclass(frozen=True)
class Figure:
    """A use and its limit; `used` None where nothing counts it, `limit` None where nothing bounds it."""

    field: str
    label: str
    used: int | None
    limit: int | None
    own: bool
    size: bool = False
    """Shown as a size of data instead of a number."""

    @property
    def tone(self) -> str:
        """Colour of its bar: full, nearly full, or neither."""
        if self.used is None or not self.limit:
            return "health-good"
        share = self.used / self.limit
        return "state-failed" if share >= 1 else "health-watch" if share >= NEARLY else "health-good"


NEARLY = 0.8
"""Share of a limit from which an operator should know before the owner asks."""


def figures(use: OwnerUse) -> list[Figure]:
    """Bounds of a plan, in the order of the columns."""
    values, own = use.limits.values, use.limits.own
    return [
        Figure("queued_jobs", "Waiting jobs", use.waiting, use.waiting_max, "queued_jobs" in own),
        Figure("requests_per_minute", "Requests a minute", use.requests, values.requests_per_minute,
               "requests_per_minute" in own),
        Figure("stored_bytes", "Stored", use.bytes, values.stored_bytes, "stored_bytes" in own, size=True),
        Figure("pages_per_month", "Pages this month", use.pages, values.pages_per_month, "pages_per_month" in own),
        Figure("mails_per_hour", "Mails an hour", use.mails, values.mails_per_hour, "mails_per_hour" in own),
    ]  # fmt: skip


@get("/owners", name="owners")
async def owners_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    search: FromQuery[str] = "",
    after: FromQuery[str] = "",
    notice: FromQuery[str] = "",
) -> Template:
    """One page of owners in order of their names, and the plans that there are."""
    page = await services.owners.list(
        services.settings.api_keys.values(), search=search.strip(), after=after, limit=PAGE_ROWS
    )
    wanted = {"search": search.strip()}
    return render(
        request,
        "owners/page.html",
        rows=[(use, figures(use)) for use in await services.owner_usage.of_all(page.owners)],
        search=search.strip(),
        plans=services.settings.plans,
        default=services.settings.default_plan,
        first=list_address(PATH, wanted) if after else None,
        following=list_address(PATH, wanted | {"after": page.next_after}) if page.next_after else None,
        notice=NOTICES.get(notice),
    )


@get("/owners/{owner:path}", name="owner")
async def owner_page(
    request: Request[User, Any, Any], services: ServicesDep, owner: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    """One owner: its use and its limits, and the form that sets its plan and limits of its own."""
    name = owner.removeprefix("/")
    row = await services.owners.get(name)
    use = await services.owner_usage.of(name)
    return render(
        request,
        "owners/owner.html",
        use=use,
        figures=figures(use),
        months=await services.metering.of_owner(name, MONTHS),
        addresses=await alert_addresses(services, name),
        waits=await owner_days(services, request.user, name),
        may_erase=administers(request.user),
        row=row,
        fields=fields(services.settings.plans, use, row.own_fields if row else {}),
        plans=services.settings.plans,
        default=services.settings.default_plan,
        priorities=PRIORITIES,
        notice=NOTICES.get(notice),
    )


LABELS: Mapping[str, tuple[str, str]] = {
    "priority": ("Highest priority", ""),
    "weight": ("Weight in the fair order", ""),
    "queued_jobs": ("Waiting jobs", "over all queues"),
    "requests_per_minute": ("Requests a minute", ""),
    "stored_bytes": ("Stored bytes", ""),
    "pages_per_month": ("Pages a month", "uploaded, by calendar month"),
    "mails_per_hour": ("Mails an hour", ""),
}
"""Words of the fields of a plan, and a remark."""


def fields(
    plans: Mapping[str, Plan], use: OwnerUse, own: Mapping[str, Any]
) -> Sequence[tuple[str, str, str, str, str]]:
    """Field, label, remark, its own value as the form shows it, and the plan's."""
    plan = plans[use.limits.plan]
    return [
        (name, *LABELS[name], shown(own[name]) if name in own else "", grouped(getattr(plan, name)))
        for name in Plan.model_fields
    ]


def shown(value: Any) -> str:
    """A limit as the form shows it and takes it."""
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def grouped(value: Any) -> str:
    """A limit as it is read, with commas between thousands."""
    return f"{value:,}" if isinstance(value, int) else shown(value)
