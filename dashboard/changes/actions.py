"""POST /admin/deploys: a mark on the charts."""

from typing import Any

from litestar import Request, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.monitoring.changes.deploys import BadMark
from tasks.sdk.errors import Refused


@post("/deploys", status_code=303, opt={ACTION: "deploy.marked"})
async def mark_deploy(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Mark this moment as a deploy."""
    try:
        deploy = await services.changes.deploys.mark(data.get("text", ""), by=request.user.name)
    except BadMark as error:
        raise Refused(str(error), field="text") from None
    audit_detail(request, deploy.text)
    return Redirect("/admin/metrics?period=hour&notice=deploy-marked", status_code=303)
