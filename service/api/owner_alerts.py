"""/api/owner-alerts: mail addresses that are told what goes wrong with the owner's jobs, each once its reader has confirmed."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Router, delete, get, post, put
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.auth import Caller, require_personal
from service.api.dependencies import CallerDep, ServicesDep
from service.api.openapi import refusals
from service.api.strict_json import StrictJson
from service.database import AlertAddress
from service.engine.job_status import rfc3339
from service.lib.text import as_sentence
from service.monitoring.audit_log import AuditEntry, Target
from service.monitoring.owner_alerts import Wish
from service.monitoring.owner_alerts.conditions import Condition
from service.monitoring.owner_alerts.rows import wanted
from service.services import Services
from tasks.mail.addresses import BadAddress, deliverable
from tasks.sdk.errors import Refused

ADDRESS_MAX = 254
"""Characters of an address that can be delivered to (RFC 5321, section 4.5.3.1.3)."""

EVERY_MIN, EVERY, WEEK = 5, 60, 7 * 24 * 60
"""Minutes between two messages about a condition: at least, by default, and at most."""

WAITING = 30
"""Minutes after which a waiting job is an alert, by default: longer than nearly every queue keeps one."""


class AlertAddressRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An address, and what it is told. `waiting_minutes` is for the condition `waiting`."""

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=ADDRESS_MAX)]
    conditions: Annotated[list[Condition], msgspec.Meta(min_length=1)]
    language: Literal["en", "de"] = "en"
    every_minutes: Annotated[int, msgspec.Meta(ge=EVERY_MIN, le=WEEK)] = EVERY
    waiting_minutes: Annotated[int, msgspec.Meta(ge=1, le=WEEK)] = WAITING


class AlertAddressBody(msgspec.Struct):
    """An address. `state` is pending (nothing is sent but its confirmation), confirmed, unsubscribed (by its reader) or
    undeliverable (a server does not know it). `mailed_at`: when a message was last accepted by the mail server."""

    address_id: str
    address: str
    conditions: list[str]
    language: str
    every_minutes: int
    waiting_minutes: int
    state: str
    created_at: str | None
    confirmed_at: str | None
    mailed_at: str | None


class AlertAddressList(msgspec.Struct):
    """All alert addresses of the owner, oldest first."""

    addresses: list[AlertAddressBody]


class ConfirmationSent(msgspec.Struct):
    """A confirmation is on its way to the address."""

    address_id: str


@get("/", responses=refusals(), summary="The owner's alert addresses")
async def list_alert_addresses(services: ServicesDep, caller: CallerDep) -> AlertAddressList:
    """Asks for the scope personal: addresses are people's."""
    require_personal(caller)
    return AlertAddressList([_body(row) for row in await services.owner_alerts.rows.of(caller.owner)])


@put(
    "/",
    dto=StrictJson,
    return_dto=None,
    responses=refusals(400, 409),
    summary="Register an alert address, or change what it is told",
)
async def put_alert_address(
    data: JSONBody[AlertAddressRequest], services: ServicesDep, caller: CallerDep
) -> AlertAddressBody:
    """A new address gets a message with a link that confirms it; nothing else is sent before. So does one whose reader has
    unsubscribed. The other fields of an address that is registered are changed, without a message."""
    _check_whole(caller)
    try:
        address = deliverable(data.address)
    except BadAddress as error:
        raise Refused(as_sentence(str(error)), field="address") from None
    conditions = list(dict.fromkeys(data.conditions))
    wish = Wish(address, [*conditions], data.language, data.every_minutes, data.waiting_minutes)
    row, new = await services.owner_alerts.put(caller.owner, wish)
    await _record(services, row, "alert-address.registered" if new else "alert-address.changed", ", ".join(conditions))
    return _body(row)


@post(
    "/{address_id:str}/confirmation",
    status_code=202,
    responses=refusals(404, 409),
    summary="Send the confirmation of an alert address again",
)
async def send_confirmation(address_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> ConfirmationSent:
    """409 unless it is pending; an address gets three confirmations a day at most."""
    _check_whole(caller)
    row = await services.owner_alerts.confirm_again(caller.owner, address_id)
    await _record(services, row, "alert-address.asked")
    return ConfirmationSent(row.address_id)


@delete("/{address_id:str}", responses=refusals(404), summary="Delete an alert address")
async def delete_alert_address(address_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> None:
    """Nothing more is sent to it, nor what waits to be sent."""
    _check_whole(caller)
    await _record(services, await services.owner_alerts.remove(address_id, caller.owner), "alert-address.deleted")


def _check_whole(caller: Caller) -> None:
    """Raise 403 for a key of some job types only: an address is told of every type."""
    if caller.job_types:
        raise PermissionDeniedException(
            f"This API key is for {', '.join(sorted(caller.job_types))} only, and alerts tell of every job."
        )


async def _record(services: Services, row: AlertAddress, action: str, detail: str = "") -> None:
    # By its id: an address has no place in a log that is kept for years.
    target = Target("alert-address", row.address_id)
    entry = AuditEntry(actor=row.owner, role="owner", action=action, target=target, owner=row.owner, detail=detail)
    await services.audit.record(entry)


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(round(moment.timestamp() * 1000)) if moment else None


def _body(row: AlertAddress) -> AlertAddressBody:
    return AlertAddressBody(
        address_id=row.address_id,
        address=row.address,
        conditions=wanted(row),
        language=row.language,
        every_minutes=row.every_minutes,
        waiting_minutes=row.waiting_minutes,
        state=row.state,
        created_at=_moment(row.created_at),
        confirmed_at=_moment(row.confirmed_at),
        mailed_at=_moment(row.mailed_at),
    )


routes = Router(
    "/owner-alerts",
    route_handlers=[list_alert_addresses, put_alert_address, send_confirmation, delete_alert_address],
    tags=["owner alerts"],
    opt={AUDIT: BY_HANDLER},
)
