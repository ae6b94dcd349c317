"""GET /admin/jobs: the list, and the fragment that refreshes its rows where they stand."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.exceptions import ClientException
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from dashboard.auth import User
from dashboard.dependencies import Counts, StateCounts
from dashboard.flash_messages import NOTICES
from dashboard.jobs.filters import Filter, from_address, from_input, suggestions
from dashboard.rendering import render
from service.api.dependencies import Wired
from service.engine.states import State
from service.engine.store import Job
from service.engine.store.bulk_operations import APPLIES, Kind
from service.lib.text import as_sentence
from service.services import Services

PAGE_ROWS = 50
REFRESHED_ROWS_MAX = 100
"""Ids that one refresh may ask for: twice a page, so that no address makes the server read a million records."""


@dataclass(frozen=True)
class Listing:
    """A page of jobs.

    `live` is the address that refreshes these rows; `arrived` counts newer jobs, `arrived_more` that there are more.
    """

    filter: Filter
    jobs: list[Job]
    counts: Counts
    cursor: str | None
    next_cursor: str | None
    live: str
    arrived: int = 0
    arrived_more: bool = False

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


@get("/jobs", name="jobs")
async def jobs_page(
    request: Request[User, Any, Any],
    services: Wired,
    counts: StateCounts,
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
    notice: FromQuery[str] = "",
) -> Template | Redirect:
    """The list. `q` is what was typed into the filter: it is answered with the address that means the same."""
    chosen = from_address(request.query_params)
    if q.strip():
        return await _settled(services, q, chosen)
    try:
        page = await services.store.page(chosen.wanted(), PAGE_ROWS, cursor)
    except ValueError as error:
        raise ClientException(as_sentence(str(error))) from None
    live = {
        **chosen.pairs(),
        "since": max((job.stamp for job in page.jobs), default=0),
        "ids": ",".join(job.id for job in page.jobs),
        "cursor": cursor or "",
        "older": page.next_cursor or "",
    }
    listing = Listing(
        chosen, page.jobs, await counts(), cursor, page.next_cursor, f"/admin/jobs/live?{urlencode(live)}"
    )
    return render(request, "jobs/page.html", listing=listing, suggestions=suggestions(), notice=NOTICES.get(notice))


@get("/jobs/live")
async def jobs_live(
    request: Request[User, Any, Any],
    services: Wired,
    counts: StateCounts,
    since: FromQuery[int] = 0,
    ids: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    older: FromQuery[str] = "",
) -> Template:
    """The same rows as they are by now, in the same places, and how many newer ones there are."""
    chosen = from_address(request.query_params)
    wanted = [job_id for job_id in ids.split(",") if job_id][:REFRESHED_ROWS_MAX]
    jobs = [job for job in await services.store.get_many(wanted) if job] if wanted else []
    newer = 0 if cursor else await services.store.newer(chosen.wanted(), since, PAGE_ROWS)
    live = f"{request.url.path}?{request.url.query}"
    listing = Listing(chosen, jobs, await counts(), cursor or None, older or None, live, newer, newer == PAGE_ROWS)
    return render(request, "jobs/live.html", listing=listing, suggestions=suggestions())


async def _settled(services: Services, words: str, chosen: Filter) -> Redirect:
    """Where a typed filter leads: to the job whose id it is, else to the address that carries it."""
    found, unexplained = from_input(words, chosen)
    for job in await services.store.get_many(unexplained[:5]):
        if job:
            return Redirect(f"/admin/jobs/{job.id}", status_code=303)
    if unexplained:
        nothing = " ".join(unexplained)
        raise ClientException(
            f"Nothing is called {nothing[:200]}: no job, state, queue, task, and no search key such as file_id:…."
        )
    return Redirect(found.address(), status_code=303)
