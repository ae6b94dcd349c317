"""POST: mute an alert rule for a while, and take that back."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION
from dashboard.auth import User
from dashboard.durations import until
from service.api.dependencies import ServicesDep
from service.lib.text import as_sentence
from tasks.sdk.errors import Refused


@post("/alerts/{rule:str}/mute", status_code=303, opt={ACTION: "alert.muted"})
async def mute_rule(
    request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Send nothing of the rule for a while. A mute always has an end: one without would be forgotten."""
    until_ms = until(data.get("end", ""))
    if until_ms is None:
        raise Refused("A mute needs an end.", field="end")
    try:
        await services.alerts.mute(rule, reason=data.get("reason", ""), by=request.user.name, until_ms=until_ms)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="reason") from None
    return Redirect("/admin/alerts?notice=muted", status_code=303)


@post("/alerts/{rule:str}/unmute", status_code=303, opt={ACTION: "alert.unmuted"})
async def unmute_rule(request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str]) -> Redirect:
    await services.alerts.unmute(rule, by=request.user.name)
    return Redirect("/admin/alerts?notice=unmuted", status_code=303)
