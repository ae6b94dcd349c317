"""POST /admin/erase: an owner goes, over every store; the answer is the signed list of what went."""

from typing import Any

from litestar import Request, Response, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import URLEncodedBody

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.rendering import UNSTORED
from dashboard.users.views import require_administrator
from service.api.dependencies import ServicesDep
from service.engine.store import WrongState
from service.erasure.jobs import StillRunning
from service.erasure.owner import NothingToErase, OwnerErasure
from service.erasure.signed_list import as_text
from service.lib.encryption import Unreadable


@post("/erase", status_code=200, opt={ACTION: "erasure.requested"})
async def erase_owner(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Response[bytes]:
    """400 unless the name was typed as it is, 404 where there is nothing, 409 where a job does not stop.

    The erasure writes its own line of the audit log, which does not name the owner.
    """
    require_administrator(request)
    # Without it the form would stand in the log, and with it the name that is about to go.
    audit_detail(request, "")
    owner = data.get("owner", "")
    if not owner or data.get("typed", "") != owner:
        raise ClientException("Type the owner's name exactly as it is written above the form.")
    erasure = OwnerErasure(services.settings, services.database, services.redis, owner)
    try:
        written = await erasure.erase(by=request.user.name)
    except NothingToErase as error:
        raise NotFoundException(str(error)) from None
    except (StillRunning, Unreadable) as error:
        raise WrongState(str(error)) from None
    audit_detail(request, written.subject)
    headers = {**UNSTORED, "Content-Disposition": f'attachment; filename="{written.subject}.json"'}
    return Response(as_text(written), media_type="application/json", headers=headers)
