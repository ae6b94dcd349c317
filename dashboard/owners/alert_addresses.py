"""Alert addresses on an owner's page, and their removal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request, post
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, on_behalf
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.database import AlertAddress
from service.lib.languages import LANGUAGES
from service.monitoring.owner_alerts.rows import wanted
from service.services import Services

ADDRESS_STATES = {
    "pending": "not confirmed",
    "confirmed": "confirmed",
    "unsubscribed": "unsubscribed by its reader",
    "undeliverable": "not known to its mail server",
}
"""States as the page shows them."""


@dataclass(frozen=True)
class ShownAddress:
    """An address as the page shows it."""

    row: AlertAddress
    state: str
    conditions: Sequence[str]
    language: str


async def alert_addresses(services: Services, owner: str) -> Sequence[ShownAddress]:
    """Addresses of an owner, oldest first."""
    return [
        ShownAddress(row, ADDRESS_STATES[row.state], wanted(row), LANGUAGES[row.language])
        for row in await services.owner_alerts.rows.of(owner)
    ]


@post("/alert-addresses/{address_id:str}/delete", status_code=303, opt={ACTION: "alert-address.deleted"})
async def delete_alert_address(
    request: Request[User, Any, Any], services: ServicesDep, address_id: FromPath[str]
) -> Redirect:
    """404 where it is gone."""
    row = await services.owner_alerts.remove(address_id)
    on_behalf(request, row.owner)
    return Redirect(f"/admin/owners/{quote(row.owner)}?notice=alert-address-deleted", status_code=303)
