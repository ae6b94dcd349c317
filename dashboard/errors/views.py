"""GET /admin/errors and one group's page."""

from typing import Any, get_args

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.errors.lives import LIVES
from dashboard.notices import NOTICES
from dashboard.page import render
from service.api.injected import Wired
from service.services import Services
from service.store.groups import ErrorGroup, Life

JOBS_SHOWN = 50


@get("/errors", name="errors")
async def errors_page(request: Request[User, Any, Any], services: Wired, life: FromQuery[str] = "") -> Template:
    """The groups, last seen first; `life` shows those of one life only."""
    groups = await services.store.error_groups.list()
    chosen = life if life in get_args(Life) else None
    return render(
        request,
        "errors/page.html",
        groups=[group for group in groups if chosen in (None, group.life)],
        counts={name: sum(group.life == name for group in groups) for name in LIVES},
        chosen=chosen,
        total=len(groups),
        lives=LIVES,
    )


@get("/errors/{fingerprint:str}", name="error")
async def error_page(
    request: Request[User, Any, Any], services: Wired, fingerprint: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    group = await present(services, fingerprint)
    ids = await services.store.error_groups.jobs(fingerprint, JOBS_SHOWN)
    jobs = [job for job in await services.store.get_many(ids) if job] if ids else []
    return render(request, "errors/show.html", group=group, jobs=jobs, lives=LIVES, notice=NOTICES.get(notice))


async def present(services: Services, fingerprint: str) -> ErrorGroup:
    """The group. Raises NotFoundException."""
    group = await services.store.error_groups.get(fingerprint)
    if group is None:
        raise NotFoundException(f"There is no error {fingerprint[:80]} (any more).")
    return group
