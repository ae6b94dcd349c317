"""GET /admin/keys: every API key with its owner, rights, expiry and last use. For operators only."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User, require_operator
from dashboard.flash_messages import NOTICES
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.database.api_keys import ApiKey, Scope
from service.services import Services
from tasks.sdk.types import REGISTRY

STATES = {
    "valid": ("health-good", "completed"),
    "expired": ("state-expired", "expired"),
    "revoked": ("state-cancelled", "cancelled"),
}
"""Tone and icon of a key's states."""

EXPIRIES = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
"""Offered days until a key expires, with their words."""

OVERLAPS = {"60": "for an hour", "1440": "for a day", "10080": "for a week", "0": "no longer"}
"""Offered minutes for which a rotated key stays valid, with their words."""


@get("/keys", name="keys")
async def keys_page(
    request: Request[User, Any, Any], services: ServicesDep, owner: FromQuery[str] = "", notice: FromQuery[str] = ""
) -> Template:
    """The page. `owner` bounds the list to one owner's."""
    require_operator(request)
    return await shown(request, services, owner=owner, notice=notice)


async def shown(
    request: Request[User, Any, Any],
    services: Services,
    *,
    owner: str = "",
    notice: str = "",
    made: tuple[ApiKey, str] | None = None,
    typed: dict[str, Any] | None = None,
    wrong: str = "",
    status_code: int = 200,
) -> Template:
    """The page; with a new key and its secret, or with what was typed and the sentence why no key was made."""
    keys = await services.api_keys.list()
    return render(
        request,
        "keys/page.html",
        status_code=status_code,
        keys=[key for key in keys if owner in ("", key.owner)],
        owners=_owners(services, keys),
        owner=owner,
        elsewhere=sorted(set(services.settings.api_keys.values())),
        states=STATES,
        scopes=[scope.value for scope in Scope],
        job_types=sorted(one.name for one in REGISTRY.values() if one.public),
        expiries=EXPIRIES,
        overlaps=OVERLAPS,
        made=made,
        typed={"owner": owner, "name": "", "days": "", "scopes": list(Scope), "types": []} | (typed or {}),
        wrong=wrong,
        notice=NOTICES.get(notice),
    )


def _owners(services: Services, keys: Sequence[ApiKey]) -> list[str]:
    return sorted({*services.settings.api_keys.values(), *(key.owner for key in keys)})
