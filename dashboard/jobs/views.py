"""GET /admin/jobs: the list, and the fragment that refreshes its rows where they stand."""

from collections.abc import Mapping, Sequence
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
from dashboard.jobs.file_names import NamedFiles, files_of
from dashboard.jobs.filters import PERSONAL_FILTERS, Filter, Typed, from_address, from_input, nothing_called
from dashboard.jobs.searching import require_readable, unreadable
from dashboard.rendering import render
from dashboard.saved_views.links import ViewLink, address_of, links
from service.api.dependencies import ServicesDep
from service.database.saved_views import SavedViews
from service.documents.matching import documents_named, many_files, matching_files
from service.engine.job_query import suggestions
from service.engine.states import State
from service.engine.store import Job, JobFilter
from service.engine.store.bulk_operations import APPLIES, Kind
from service.engine.store.queries import Coverage
from service.lib.clock import now_ms
from service.lib.text import as_sentence
from service.services import Services

PAGE_ROWS = 50
REFRESHED_ROWS_MAX = 100
"""Ids that one refresh may ask for: twice a page, so that no address makes the server read a million records."""


@dataclass(frozen=True)
class Listing:
    """A page of jobs.

    `live` is the address that refreshes these rows; `arrived` counts newer jobs, `arrived_more` that there are more.
    `files` are the documents of each job. `words` were typed and mean nothing, as `problem` says in a sentence. `notes` say
    what the list leaves out; `partial` how many of how many jobs were looked at, where that is not all.
    """

    filter: Filter
    wanted: JobFilter
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
    notes: Sequence[str] = ()
    partial: Coverage | None = None
    at_ms: int = 0
    views: Sequence[ViewLink] = ()

    @property
    def kinds(self) -> list[Kind]:
        """The actions that some state of the filter allows."""
        states = set(self.wanted.states)
        return [kind for kind, fitting in APPLIES.items() if states & {str(state) for state in fitting}]

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
    require_readable(chosen, request.user)
    if not request.query_params and (default := await SavedViews(services.database).default_of(request.user.name)):
        return Redirect(address_of(default), status_code=303)
    if q.strip():
        understood = await _understood(services, q, chosen, request.user)
        if isinstance(understood, Redirect):
            return understood
        problem = understood
    at_ms = now_ms()
    files = await matching_files(services.database, chosen.terms())
    wanted = chosen.wanted(at_ms, files)
    try:
        page = await services.store.page(wanted, PAGE_ROWS, cursor)
    except ValueError as error:
        raise ClientException(as_sentence(str(error))) from None
    live = {
        **chosen.pairs(),
        "since": max((job.stamp for job in page.jobs), default=0),
        "ids": ",".join(job.id for job in page.jobs),
        "cursor": cursor or "",
        "older": page.next_cursor or "",
        **({"examined": page.partial.examined, "candidates": page.partial.candidates} if page.partial else {}),
        **({"q": q} if problem else {}),
    }
    listing = Listing(
        chosen,
        wanted,
        page.jobs,
        await counts(),
        cursor,
        page.next_cursor,
        f"/admin/jobs/live?{urlencode(live)}",
        await files_of(services, page.jobs),
        words=q if problem else "",
        problem=problem,
        notes=[many_files(text) for text in files.cut],
        partial=page.partial,
        at_ms=at_ms,
        views=await links(SavedViews(services.database), request.user, chosen, await counts()),
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
    examined: FromQuery[int] = 0,
    candidates: FromQuery[int] = 0,
) -> Template:
    """The same rows as they are by now, in the same places, and how many newer ones there are."""
    chosen, at_ms = from_address(request.query_params), now_ms()
    require_readable(chosen, request.user)
    shown_ids = [job_id for job_id in ids.split(",") if job_id][:REFRESHED_ROWS_MAX]
    jobs = [job for job in await services.store.get_many(shown_ids) if job] if shown_ids else []
    files = await matching_files(services.database, chosen.terms())
    wanted = chosen.wanted(at_ms, files)
    newer = 0 if cursor else await services.store.newer(wanted, since, PAGE_ROWS)
    typed = from_input(q, chosen)
    listing = Listing(
        chosen,
        wanted,
        jobs,
        await counts(),
        cursor or None,
        older or None,
        f"{request.url.path}?{request.url.query}",
        await files_of(services, jobs),
        newer,
        newer == PAGE_ROWS,
        words=q,
        problem=_problem_of(typed, request.user) if q else "",
        notes=[many_files(text) for text in files.cut],
        partial=Coverage(examined, candidates) if examined else None,
        at_ms=at_ms,
        views=await links(SavedViews(services.database), request.user, chosen, await counts()),
    )
    return render(request, "jobs/live.html", listing=listing, suggestions=suggestions(), pauses=await pauses())


async def _understood(services: Services, words: str, chosen: Filter, user: User) -> Redirect | str:
    """Address that typed words lead to: to the job whose id they are, else to the address that means them, files by their names
    included. A sentence where they mean nothing.
    """
    typed = from_input(words, chosen)
    for job in await services.store.get_many(typed.words[:5]):
        if job:
            return Redirect(f"/admin/jobs/{job.id}", status_code=303)
    name = " ".join(typed.words)
    # A viewer reads no names of files, and must not guess them either.
    if name and not typed.problems and user.sees_personal and (await documents_named(services.database, name)).ids:
        return Redirect(replace(typed.filter, file=name).address(), status_code=303)
    return _problem_of(typed, user) or Redirect(typed.filter.address(), status_code=303)


def _problem_of(typed: Typed, user: User) -> str:
    """Sentences about what is wrong with typed words; empty where nothing is."""
    hidden = [] if user.sees_personal else [unreadable(key, user) for key in typed.filter.personal]
    return " ".join([*typed.problems, *hidden, *([nothing_called(typed.words)] if typed.words else [])])
