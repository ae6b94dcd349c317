"""GET /admin/errors and one group's page."""

from typing import Any, get_args

from litestar import Request, get
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.errors.group_states import GROUP_BADGES
from dashboard.flash_messages import NOTICES
from dashboard.jobs.file_names import files_of
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store import JobFilter
from service.engine.store.error_groups import ErrorGroup, GroupState
from service.lib.text import as_sentence
from service.services import Services

PAGE_ROWS = 50
GROUPS_SHOWN = 200


@get("/errors", name="errors")
async def errors_page(request: Request[User, Any, Any], services: ServicesDep, life: FromQuery[str] = "") -> Template:
    """The groups, last seen first; `life` shows those of one life only."""
    groups = await services.store.error_groups.list(GROUPS_SHOWN)
    chosen = life if life in get_args(GroupState) else None
    return render(
        request,
        "errors/page.html",
        groups=[group for group in groups if chosen in (None, group.life)],
        counts={name: sum(group.life == name for group in groups) for name in GROUP_BADGES},
        chosen=chosen,
        total=len(groups),
        more=len(groups) == GROUPS_SHOWN,
        badges=GROUP_BADGES,
    )


@get("/errors/{fingerprint:str}", name="error")
async def error_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    fingerprint: FromPath[str],
    cursor: FromQuery[str | None] = None,
    notice: FromQuery[str] = "",
) -> Template:
    """The group, and a page of the jobs that failed of it."""
    group = await present(services, fingerprint)
    try:
        page = await services.store.page(JobFilter(state=State.FAILED, fingerprint=fingerprint), PAGE_ROWS, cursor)
    except ValueError as error:
        raise ClientException(as_sentence(str(error))) from None
    return render(
        request,
        "errors/show.html",
        group=group,
        jobs=page.jobs,
        files=await files_of(services, page.jobs),
        cursor=cursor,
        next_cursor=page.next_cursor,
        badges=GROUP_BADGES,
        notice=NOTICES.get(notice),
    )


async def present(services: Services, fingerprint: str) -> ErrorGroup:
    """The group. Raises NotFoundException."""
    group = await services.store.error_groups.get(fingerprint)
    if group is None:
        raise NotFoundException(f"There is no error {fingerprint[:80]} (any more).")
    return group
