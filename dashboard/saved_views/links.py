"""Saved views as links. A view's address is the plain address of its filter, so that it can be passed on and outlives the view.

A filter is kept in the language, and not as an address: what it names may not exist any more, and the page then says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.auth import User
from dashboard.dependencies import Counts
from dashboard.jobs.filters import PATH, WHERE, Filter, from_text
from dashboard.list_urls import list_address
from service.database.saved_views import SavedView, SavedViews
from service.engine.job_query import as_text


@dataclass(frozen=True)
class ViewLink:
    """A view as it is listed. `here` is true where the page shows it; `count` is None where no counter knows it."""

    view: SavedView
    address: str
    here: bool = False
    count: int | None = None
    default: bool = False


def address_of(view: SavedView) -> str:
    """The address of the jobs page with a view's filter."""
    its = from_text(view.filter)
    # With what cannot be read in it, so that the page says so.
    return list_address(PATH, {WHERE: view.filter}) if its.left_out else its.address()


async def links(
    views: SavedViews, user: User, shown: Filter | None = None, counts: Counts | None = None
) -> Sequence[ViewLink]:
    """The views that a user may open, own ones first. Views that search what the user may not read are left out."""
    default = await views.default_of(user.name)
    now = frozenset(shown.terms()) if shown else frozenset()
    found = []
    for view in await views.of(user.name):
        its = from_text(view.filter)
        if user.sees_personal or not its.personal:
            here = bool(now) and now == frozenset(its.terms())
            is_default = default is not None and default.id == view.id
            found.append(ViewLink(view, address_of(view), here, _count(its, counts), is_default))
    return found


def _count(its: Filter, counts: Counts | None) -> int | None:
    """Number of jobs of a view of nothing but a state and a queue."""
    if counts is None or its.left_out or its != Filter(status=its.status, queue=its.queue):
        return None
    queues = [its.queue] if its.queue else list(counts)
    return sum(
        number
        for queue in queues
        for state, number in counts.get(queue, {}).items()
        if its.status in (None, str(state))
    )


def text_of(chosen: Filter) -> str:
    """A filter as a view keeps it."""
    return as_text(chosen.terms())
