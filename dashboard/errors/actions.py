"""POST: the life of an error group, and a canary of its jobs."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.errors.views import present
from service.api.dependencies import ServicesDep
from service.engine.store.bulk_operations import Selection
from service.engine.store.error_groups import GroupState
from settings.amounts import counted
from tasks.sdk.errors import Refused

CANARY = 5
"""Jobs that are tried before the rest: few enough to lose, enough to see a pattern."""

SETTABLE: tuple[GroupState, ...] = ("open", "ignored", "resolved")


@post("/errors/{fingerprint:str}/life", status_code=303, opt={ACTION: "error.judged"})
async def live_error(
    services: ServicesDep, fingerprint: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Set an error to open, ignored or resolved. Regressed is set automatically."""
    await present(services, fingerprint)
    life = next((known for known in SETTABLE if known == data.get("life")), None)
    if life is None:
        raise Refused(f"An error is {', '.join(SETTABLE)}, not {data.get('life', '')[:40]}.", field="life")
    await services.store.error_groups.live(fingerprint, life)
    return Redirect(f"/admin/errors/{fingerprint}?notice={life}", status_code=303)


@post("/errors/{fingerprint:str}/canary", status_code=303, opt={ACTION: "error.retried"})
async def try_canary(request: Request[User, Any, Any], services: ServicesDep, fingerprint: FromPath[str]) -> Redirect:
    """Try the newest few of the group's jobs again: if they fail too, the rest would."""
    group = await present(services, fingerprint)
    ids = tuple(await services.store.error_groups.jobs(fingerprint, CANARY))
    if not ids:
        raise Refused("None of its jobs is left to try.", field="fingerprint", status_code=409)
    words = f"{counted(len(ids), 'job')} as a canary for: {group.error[:120]}"
    operation = await services.store.operations.begin("retry", Selection(ids=ids), words=words, by=request.user.name)
    audit_detail(request, f"{operation.id}: retry {words}")
    return Redirect(f"/admin/operations/{operation.id}", status_code=303)
