"""GET /admin/errors and one group's page."""

from collections.abc import Sequence
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
from service.engine.store import Job, JobFilter
from service.engine.store.error_groups import ErrorGroup, GroupState
from service.lib.text import as_sentence
from service.services import Services

PAGE_ROWS = 50
GROUPS_SHOWN = 200


@get("/errors", name="errors")
async def errors_page(request: Request[User, Any, Any], services: ServicesDep, life: FromQuery[str] = "") -> Template:
    """The groups, last seen first; `life` shows those of one life only."""
    groups = await services.store.error_groups.list(GROUPS_SHOWN)
    samples = await sampled(services, groups)
    chosen = life if life in get_args(GroupState) else None
    return render(
        request,
        "errors/page.html",
        samples=samples,
        files=await files_of(services, samples.values()),
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
    samples = await sampled(services, [group])
    return render(
        request,
        "errors/show.html",
        group=group,
        samples=samples,
        jobs=page.jobs,
        files=await files_of(services, [*page.jobs, *samples.values()]),
        cursor=cursor,
        next_cursor=page.next_cursor,
        badges=GROUP_BADGES,
        notice=NOTICES.get(notice),
    )


async def sampled(services: Services, groups: Sequence[ErrorGroup]) -> dict[str, Job]:
    """The job whose error stands for its group, by fingerprint. Its personal values are known, and so can be redacted:
    where it is gone, a user without the right to them reads the error's type alone.
    """
    jobs = await services.store.get_many([group.sample for group in groups]) if groups else []
    return {group.fingerprint: job for group, job in zip(groups, jobs, strict=True) if job is not None}


async def present(services: Services, fingerprint: str) -> ErrorGroup:
    """The group. Raises NotFoundException."""
    group = await services.store.error_groups.get(fingerprint)
    if group is None:
        raise NotFoundException(f"There is no error {fingerprint[:80]} (any more).")
    return group
