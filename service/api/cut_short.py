"""Responses whose content goes away while it is sent: a line in the log, and a connection that breaks for the client to see."""

from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from service.lib.outages import outage_of

log = structlog.get_logger("offload.api")


class CutShort(ASGIMiddleware):
    """Ends a response that meets an outage behind its first byte. Too late for a status code, and a proper end would pass for
    the whole: the server closes the connection of a response that was never completed."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Run the rest. Raises what is not an outage, or comes before the response."""
        try:
            await next_app(scope, receive, send)
        except Exception as error:
            outage = outage_of(error) if _begun(scope) else None
            if outage is None:
                raise
            log.warning("response.cut_short", path=scope["path"], reason=outage.sentence)


def _begun(scope: Any) -> bool:
    return ScopeState.from_scope(scope).response_started
