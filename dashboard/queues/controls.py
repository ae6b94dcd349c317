"""One queue's page: pause it, bound its jobs or its rate, each with a reason and, if wanted, an end."""

from typing import Any, get_args

from litestar import Request, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.dependencies import Figures
from dashboard.durations import ENDS, until
from dashboard.flash_messages import NOTICES
from dashboard.past.strips import month_strip
from dashboard.past.views import past_page
from dashboard.queues.forecast import what_if
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.engine.store.blocked_keys import blocked_keys
from service.engine.store.queue_controls import Kind
from service.lib.clock import now_ms
from service.lib.text import as_sentence
from settings.queues import Queue
from tasks.sdk.errors import Refused

BLOCKED_SHOWN = 20
"""Keys of limits shown with a queue: those that most jobs wait for."""


@get("/queues/{queue:str}", name="queue")
async def queue_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    figures: Figures,
    queue: FromPath[str],
    jobs: FromQuery[str] = "",
    workers: FromQuery[str] = "",
    notice: FromQuery[str] = "",
    at: FromQuery[str] = "",
) -> Template:
    """The queue now, or at the moment `at`. `jobs` at once and `workers` ask what the forecast would be."""
    name = _known(queue)
    if at:
        return await past_page(request, services, [str(name)], str(name))
    row = next(row for row in (await figures()).queues if row.name == name)
    holds = await services.store.controls.holds(name)
    bounds = services.settings.queues[name]
    total, blocked = await blocked_keys(services.redis, name, BLOCKED_SHOWN)
    return render(
        request,
        "queues/queue.html",
        row=row,
        holds=holds,
        bounds=bounds,
        if_so=what_if(row, bounds, holds, jobs, workers),
        ends=ENDS,
        blocked_total=total,
        blocked=blocked,
        notice=NOTICES.get(notice),
        month=await month_strip(services, [str(name)], now_ms(), None),
    )


@post("/queues/{queue:str}/steer", status_code=303, opt={ACTION: "queue.steered"})
async def set_hold(
    request: Request[User, Any, Any], services: ServicesDep, queue: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    name, kind = _known(queue), _kind(data.get("kind", ""))
    until_ms = until(data.get("end", ""))
    reason = data.get("reason", "")
    given = data.get("value") or "0"
    try:
        value = int(given)
    except ValueError:
        raise Refused(f"A {kind} is a whole number, not {given[:40]}.", field="value") from None
    try:
        await services.store.controls.set(name, kind, value, reason=reason, by=request.user.name, until_ms=until_ms)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="value") from None
    end = f"; end {data['end'][:40]}" if data.get("end") else ""
    audit_detail(request, f"{kind}{f' {value}' if value else ''}: {reason}{end}")
    return Redirect(f"/admin/queues/{name}?notice=steered", status_code=303)


@post("/queues/{queue:str}/lift", status_code=303, opt={ACTION: "queue.released"})
async def remove_hold(
    request: Request[User, Any, Any], services: ServicesDep, queue: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    name, kind = _known(queue), _kind(data.get("kind", ""))
    await services.store.controls.remove(name, kind)
    audit_detail(request, kind)
    return Redirect(f"/admin/queues/{name}?notice=lifted", status_code=303)


def _known(queue: str) -> Queue:
    if queue not in set(Queue):
        raise NotFoundException(f"There is no queue {queue[:80]}.")
    return Queue(queue)


def _kind(word: str) -> Kind:
    for kind in get_args(Kind):
        if kind == word:
            return kind
    raise Refused(f"A queue has no {word[:40]}: it has a pause, a limit and a rate.", field="kind")
