"""GET /admin/jobs: the list, and the fragment that refreshes its rows where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.exceptions import ClientException
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from dashboard.auth import PERSONAL_QUERY, User
from dashboard.dependencies import Counts, Pauses, StateCounts
from dashboard.flash_messages import NOTICES
from dashboard.jobs.file_names import NamedFiles, SameName, documents_named, files_of
from dashboard.jobs.filters import PERSONAL_FILTERS, Filter, from_address, from_input, suggestions
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store import Job
from service.engine.store.bulk_operations import APPLIES, Kind
from service.lib.text import as_sentence
from service.services import Services

PAGE_ROWS = 50
REFRESHED_ROWS_MAX = 100
"""Ids that one refresh may ask for: twice a page, so that no address makes the server read a million records."""


NO_NAME = SameName([], False)
"""For a filter without a file's name."""


@dataclass(frozen=True)
class Listing:
    """A page of jobs.

    `live` is the address that refreshes these rows; `arrived` counts newer jobs, `arrived_more` that there are more.
    `files` are the documents of each job. `words` were typed and mean nothing, as `problem` says in a sentence.
    """

    filter: Filter
    jobs: list[Job]
    counts: Counts
    cursor: str | None
    next_cursor: str | None
    live: str
    files: Mapping[str, NamedFiles]
    arrived: int = 0
    arrived_more: bool = False
    words: str = ""
    problem: str = ""
    same_name: SameName = NO_NAME

    @property
    def kinds(self) -> list[Kind]:
        """The actions that some state of the filter allows."""
        states = {self.filter.status} if self.filter.status else set(State)
        return [kind for kind, fitting in APPLIES.items() if states & set(fitting)]

    def of_state(self, state: str) -> int:
        """Jobs in a state, within the chosen queue."""
        queues = [self.filter.queue] if self.filter.queue in self.counts else list(self.counts)
        return sum(self.counts[queue or ""][State(state)] for queue in queues)

    def of_queue(self, queue: str) -> int:
        """Jobs in a queue, of the chosen state."""
        return sum(count for state, count in self.counts[queue].items() if self.filter.status in (None, state))


@get("/jobs", name="jobs", opt={PERSONAL_QUERY: PERSONAL_FILTERS})
async def jobs_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    counts: StateCounts,
    pauses: Pauses,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
    notice: FromQuery[str] = "",
) -> Template | Redirect:
    """The list. `q` is what was typed into the filter: it leads to the address that means the same. Words that mean nothing
    stay in the filter's box, over the list that was there before.
    """
    chosen, problem = from_address(request.query_params), ""
    if q.strip():
        understood = await _understood(services, q, chosen, request.user)
        if isinstance(understood, Redirect):
            return understood
        problem = understood
    same_name = await _same_name(services, chosen)
    try:
        page = await services.store.page(chosen.wanted(same_name.ids), PAGE_ROWS, cursor)
    except ValueError as error:
        raise ClientException(as_sentence(str(error))) from None
    live = {
        **chosen.pairs(),
        "since": max((job.stamp for job in page.jobs), default=0),
        "ids": ",".join(job.id for job in page.jobs),
        "cursor": cursor or "",
        "older": page.next_cursor or "",
        **({"q": q} if problem else {}),
    }
    listing = Listing(
        chosen,
        page.jobs,
        await counts(),
        cursor,
        page.next_cursor,
        f"/admin/jobs/live?{urlencode(live)}",
        await files_of(services, page.jobs),
        words=q if problem else "",
        problem=problem,
        same_name=same_name,
    )
    return render(
        request,
        "jobs/page.html",
        listing=listing,
        suggestions=suggestions(),
        pauses=await pauses(),
        notice=NOTICES.get(notice),
    )


@get("/jobs/live", opt={PERSONAL_QUERY: PERSONAL_FILTERS})
async def jobs_live(
    request: Request[User, Any, Any],
    services: ServicesDep,
    counts: StateCounts,
    pauses: Pauses,
    since: FromQuery[int] = 0,
    ids: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    older: FromQuery[str] = "",
    q: FromQuery[str] = "",
) -> Template:
    """The same rows as they are by now, in the same places, and how many newer ones there are."""
    chosen = from_address(request.query_params)
    wanted = [job_id for job_id in ids.split(",") if job_id][:REFRESHED_ROWS_MAX]
    jobs = [job for job in await services.store.get_many(wanted) if job] if wanted else []
    same_name = await _same_name(services, chosen)
    newer = 0 if cursor else await services.store.newer(chosen.wanted(same_name.ids), since, PAGE_ROWS)
    listing = Listing(
        chosen,
        jobs,
        await counts(),
        cursor or None,
        older or None,
        f"{request.url.path}?{request.url.query}",
        await files_of(services, jobs),
        newer,
        newer == PAGE_ROWS,
        words=q,
        problem=_nothing_called(from_input(q, chosen)[1]) if q else "",
        same_name=same_name,
    )
    return render(request, "jobs/live.html", listing=listing, suggestions=suggestions(), pauses=await pauses())


async def _same_name(services: Services, chosen: Filter) -> SameName:
    return await documents_named(services, chosen.file) if chosen.file else NO_NAME


async def _understood(services: Services, words: str, chosen: Filter, user: User) -> Redirect | str:
    """Address that typed words lead to: to the job whose id they are, else to the address that means them, files by their names
    included. A sentence where they mean nothing.
    """
    found, unexplained = from_input(words, chosen)
    for job in await services.store.get_many(unexplained[:5]):
        if job:
            return Redirect(f"/admin/jobs/{job.id}", status_code=303)
    name = " ".join(unexplained)
    # A viewer reads no names of files, and must not guess them either.
    if name and user.sees_personal and (await documents_named(services, name)).ids:
        return Redirect(replace(found, file=name).address(), status_code=303)
    return _nothing_called(unexplained) if unexplained else Redirect(found.address(), status_code=303)


def _nothing_called(unexplained: list[str]) -> str:
    nothing = " ".join(unexplained)
    return (
        f"Nothing is called {nothing[:200]}: no job, file, state, queue or task, and no search key such as file_id:…."
    )
