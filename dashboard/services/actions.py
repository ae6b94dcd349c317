"""POST: pause an external service with a reason, open it again."""

from typing import Any

from litestar import Request, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION
from dashboard.auth import User
from dashboard.durations import until
from service.api.dependencies import ServicesDep
from service.lib.text import as_sentence
from service.services import Services
from settings.services import SMTP
from tasks.sdk.errors import Refused


@post("/services/{service:str}/pause", status_code=303, opt={ACTION: "service.paused"})
async def pause_service(
    request: Request[User, Any, Any],
    services: ServicesDep,
    service: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    await _known(services, service)
    until_ms = until(data.get("end", ""))
    reason, by = data.get("reason", ""), request.user.name
    try:
        await services.runtime.gate.pauses.pause(service, reason=reason, by=by, until_ms=until_ms)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="reason") from None
    return Redirect("/admin/services?notice=service-paused", status_code=303)


@post("/services/{service:str}/resume", status_code=303, opt={ACTION: "service.resumed"})
async def resume_service(services: ServicesDep, service: FromPath[str]) -> Redirect:
    """Removes an operator's pause and that of the breaker."""
    await _known(services, service)
    await services.runtime.gate.pauses.resume(service)
    return Redirect("/admin/services?notice=service-resumed", status_code=303)


async def _known(services: Services, name: str) -> None:
    known = {use.name for use in await services.runtime.gate.list()}
    if name not in known:
        raise NotFoundException(f"There is no service {name[:80]}.")
    if name == SMTP:
        raise Refused("The mail server is paused with its queue, email-sender.", field="service", status_code=409)
