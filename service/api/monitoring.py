"""Guard of what tells hosts, processes, versions and counts: a private network, the monitoring token, or an operator's key."""

import hmac
from ipaddress import ip_address
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from service.access.failed_attempts import Attempt, Kind
from service.api.auth import address_of, authenticate, bearer, unauthorized
from service.database.api_keys import Scope
from service.services import Services
from settings import Settings

SENTENCE = (
    "From this address, send the monitoring token or an API key with the scope operate as `Authorization: Bearer`."
)


async def require_monitoring(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard. Raises 401 without a credential from elsewhere, 403 for a key without `operate`, TooManyFailures (429)."""
    services: Services = connection.app.state.services
    address, secret = address_of(connection.scope), bearer(connection.headers.get("authorization", ""))
    if within(services.settings, address):
        return
    if not secret:
        raise unauthorized(connection, SENTENCE)
    attempt = Attempt(Kind.API_KEY, address, secret)
    services.failed_attempts.check(attempt)
    token = services.settings.monitoring_token or ""
    if token and hmac.compare_digest(token.encode(), secret.encode("utf-8", "surrogatepass")):
        services.failed_attempts.succeeded(attempt)
        return
    caller = await authenticate(services, secret)
    if caller is None:
        services.failed_attempts.failed(attempt)
        raise unauthorized(connection, SENTENCE)
    services.failed_attempts.succeeded(attempt)
    if Scope.OPERATE not in caller.scopes:
        raise PermissionDeniedException("This API key may not do that: it lacks the scope operate.")


def within(settings: Settings, address: str) -> bool:
    """True for an address in one of the monitoring networks; of an IPv4 address as IPv6 writes it, too."""
    try:
        parsed = ip_address(address)
    except ValueError:
        # A Unix socket has no address: its folder's rights have admitted the client.
        return not address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in network for network in settings.monitoring_networks)
