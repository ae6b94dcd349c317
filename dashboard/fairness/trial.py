"""Weights tried out on the load of a day (GET /admin/fairness/trial), and set (POST /admin/fairness/weights)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.fairness.views import queues_of
from dashboard.flash_messages import NOTICES
from dashboard.owners.views import shown as shown_limit
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.database.owners import BadLimits
from service.lib.clock import now_ms
from service.monitoring.audit_log import AuditEntry, Target
from service.monitoring.fairness.span import read_span
from service.monitoring.fairness.trial import OwnerTrial, Trial
from service.services import Services
from settings.plans import Plan
from tasks.sdk.errors import Refused

FIELD = "weight:"
"""Beginning of a field's name; the owner's follows."""

OWNERS_SHOWN = 20


def read_weights(fields: Mapping[str, str]) -> dict[str, float]:
    """Weights in a form or an address, by owner. An empty one is left out. Raises Refused (400)."""
    found = {}
    for name, given in fields.items():
        if not name.startswith(FIELD) or not given.strip():
            continue
        owner = name.removeprefix(FIELD)
        try:
            weight = float(given.strip())
            Plan.model_validate({"weight": weight})
        except ValueError:
            weight = math.nan
        if not math.isfinite(weight):
            raise Refused(f"The weight of {owner[:60]} is {given[:20]!r}: write a number such as 0.5 or 4.", field=name)
        found[owner] = weight
    return found


@get("/fairness/trial", name="fairness-trial")
async def trial_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    queue: FromQuery[str] = "",
    day: FromQuery[str] = "",
    notice: FromQuery[str] = "",
) -> Template:
    """The form, and the replay where a queue is named; of yesterday where no day is."""
    queues = queues_of(request.user, services, "")
    span = read_span(day, "", now_ms())
    if not day:
        span = span.moved(-1)
    weights = read_weights(dict(request.query_params))
    chosen = queues_of(request.user, services, queue)[0] if queue else ""
    trial = await services.trials.run(chosen, span, weights) if chosen else Trial()
    return render(
        request,
        "fairness/trial.html",
        span=span,
        queue=chosen,
        queues=queues,
        trial=trial,
        rows=_shown(trial, weights),
        changed=[row for row in trial.rows if row.weight != row.proposed],
        field=FIELD,
        notice=NOTICES.get(notice),
    )


def _shown(trial: Trial, weights: Mapping[str, float]) -> Sequence[OwnerTrial]:
    """Owners with most jobs, and those whose weight is proposed."""
    return [row for number, row in enumerate(trial.rows) if number < OWNERS_SHOWN or row.owner in weights]


@post("/fairness/weights", status_code=303, opt={ACTION: "weights.set"})
async def set_weights(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Each becomes the owner's own limit; its plan and its other limits stay. One line of the audit log for each owner."""
    weights = read_weights(data)
    if not weights:
        raise Refused("No weight is given.", field=FIELD)
    for owner, weight in weights.items():
        await _set(services, request.user, owner, weight)
    audit_detail(request, ", ".join(f"{owner}: {weight:g}" for owner, weight in weights.items()))
    return Redirect("/admin/fairness/trial?notice=weights-saved", status_code=303)


async def _set(services: Services, user: User, owner: str, weight: float) -> None:
    row = await services.owners.get(owner)
    own = {name: shown_limit(value) for name, value in (row.own_fields if row else {}).items()}
    try:
        await services.owners.set(owner, row.plan if row else None, own | {"weight": f"{weight:g}"}, by=user.name)
    except BadLimits as error:
        raise Refused(str(error), field=error.field) from None
    await services.audit.record(
        AuditEntry(
            actor=user.name,
            role=str(user.role),
            action="owner.limited",
            target=Target("owner", owner),
            owner=owner,
            detail=f"weight={weight:g}",
        )
    )
