"""GET: the question before an action on many jobs, and the operation while it runs."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import PERSONAL_QUERY, User
from dashboard.dependencies import Counts, StateCounts
from dashboard.jobs.filters import PERSONAL_FILTERS
from dashboard.operations.selection import ICONS, VERBS, fields_of, kind_of, selection_of, words
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store.bulk_operations import APPLIES, Selection


@get("/operations", name="operations")
async def operations_page(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    return render(request, "operations/page.html", operations=await services.store.operations.list(), verbs=VERBS)


@get("/operations/new", opt={PERSONAL_QUERY: PERSONAL_FILTERS})
async def ask_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    counts: StateCounts,
    kind: FromQuery[str] = "",
    id: FromQuery[list[str] | None] = None,
) -> Template:
    """The question, in words. Nothing is changed by asking it."""
    chosen = kind_of(kind)
    fields = dict(request.query_params.items())
    if id and not fields.get("all"):
        fields["ids"] = ",".join(id)
    selection = selection_of(fields)
    jobs = [job for job in await services.store.get_many(selection.ids) if job] if selection.ids else []
    fitting = [job for job in jobs if job.state in APPLIES[chosen]]
    return render(
        request,
        "operations/ask.html",
        kind=chosen,
        verb=VERBS[chosen],
        symbol=ICONS[chosen],
        words=words(chosen, selection),
        fields=fields_of(selection),
        count=_count(selection, APPLIES[chosen], await counts()),
        unfitting=len(jobs) - len(fitting),
        nothing=bool(selection.ids) and not fitting,
        states=APPLIES[chosen],
    )


def _count(selection: Selection, states: Sequence[State], counts: Counts) -> int | None:
    """Number of selected jobs now, where the counters know; None where only the freezing will tell."""
    if (
        selection.ids
        or selection.type
        or selection.owner
        or selection.fingerprint
        or selection.search
        or selection.any_of
    ):
        return None
    queues = [selection.queue] if selection.queue in counts else list(counts)
    wanted = [State(selection.state)] if selection.state else states
    return sum(counts[queue or ""][state] for queue in queues for state in wanted)


@get("/operations/{operation_id:str}", name="operation")
async def operation_page(
    request: Request[User, Any, Any], services: ServicesDep, operation_id: FromPath[str]
) -> Template:
    operation = await services.store.operations.present(operation_id)
    return render(request, "operations/show.html", operation=operation, verbs=VERBS)


@get("/operations/{operation_id:str}/live")
async def operation_live(
    request: Request[User, Any, Any], services: ServicesDep, operation_id: FromPath[str]
) -> Template:
    operation = await services.store.operations.present(operation_id)
    status_code = 200 if operation.state == "running" else HTMX_STOP_POLLING
    return render(request, "operations/live.html", status_code=status_code, operation=operation, verbs=VERBS)
