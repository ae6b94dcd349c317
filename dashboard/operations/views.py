"""GET: the question before an action on many jobs, and the operation while it runs."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import PERSONAL_QUERY, User
from dashboard.dependencies import Counts, StateCounts
from dashboard.jobs.filters import PERSONAL_FILTERS, Filter
from dashboard.jobs.searching import require_readable
from dashboard.operations.selection import ICONS, VERBS, Chosen, fields_of, kind_of, selection_of, words
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store.bulk_operations import APPLIES


@get("/operations", name="operations")
async def operations_page(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    return render(request, "operations/page.html", operations=await services.store.operations.list())


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
    require_readable(selection.filter, request.user)
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


def _count(chosen: Chosen, states: Sequence[State], counts: Counts) -> int | None:
    """Number of selected jobs now, where the counters know; None where only the freezing will tell."""
    wanted = chosen.filter
    if chosen.ids or wanted != Filter(wanted.status, wanted.queue):
        return None
    queues = [wanted.queue] if wanted.queue in counts else list(counts)
    fitting = [State(wanted.status)] if wanted.status else states
    return sum(counts[queue or ""][state] for queue in queues for state in fitting)


@get("/operations/{operation_id:str}", name="operation")
async def operation_page(
    request: Request[User, Any, Any], services: ServicesDep, operation_id: FromPath[str]
) -> Template:
    operation = await services.store.operations.present(operation_id)
    undo = await services.store.operations.undoable(operation_id)
    return render(request, "operations/show.html", operation=operation, undo=undo)


@get("/operations/{operation_id:str}/live")
async def operation_live(
    request: Request[User, Any, Any], services: ServicesDep, operation_id: FromPath[str]
) -> Template:
    operation = await services.store.operations.present(operation_id)
    undo = await services.store.operations.undoable(operation_id)
    status_code = 200 if operation.state == "running" else HTMX_STOP_POLLING
    return render(request, "operations/live.html", status_code=status_code, operation=operation, undo=undo)
