"""POST: set an owner's plan and limits of its own."""

from typing import Any
from urllib.parse import quote

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail, on_behalf
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.database.owners import BadLimits
from settings.plans import Plan
from tasks.sdk.errors import Refused


@post("/owners/{owner:path}", status_code=303, opt={ACTION: "owner.limited"})
async def limit_owner(
    request: Request[User, Any, Any], services: ServicesDep, owner: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """An empty field is the plan's; `none` means no limit. It holds in every process within a second."""
    name = owner.removeprefix("/")
    own = {field: value for field in Plan.model_fields if (value := _value(data.get(field, "")))}
    plan = data.get("plan", "").strip() or None
    on_behalf(request, name)
    audit_detail(
        request, f"plan {plan or 'by default'}" + "".join(f", {field}={value}" for field, value in own.items())
    )
    try:
        await services.owners.set(name, plan, own, by=request.user.name)
    except BadLimits as error:
        raise Refused(str(error), field=error.field) from None
    return Redirect(f"/admin/owners/{quote(name)}?notice=owner-saved", status_code=303)


def _value(given: str) -> str:
    """A value as people write numbers, with blanks and commas between thousands."""
    return given.replace(",", "").replace(" ", "").strip()
