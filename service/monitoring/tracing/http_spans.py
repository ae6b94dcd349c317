"""A span with every HTTP request, by Litestar's OpenTelemetry middleware, named by its route and without its query."""

from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware, DefineMiddleware
from litestar.plugins.opentelemetry import OpenTelemetryConfig
from litestar.types import ASGIApp, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.semconv.attributes.http_attributes import HTTP_ROUTE
from opentelemetry.semconv.attributes.url_attributes import URL_QUERY
from opentelemetry.trace import Span

from service.monitoring.tracing.spans import ids

WATCHERS = ["^/health", "^/workers/health", "^/metrics", "^/static"]
"""Paths that no trace is begun for: probes and scrapes come every few seconds and lead nowhere."""


def request_spans(provider: TracerProvider) -> list[Any]:
    """The middleware of an app whose requests are to have spans."""
    begun: DefineMiddleware = OpenTelemetryConfig(
        tracer_provider=provider,
        scope_span_details_extractor=_details,
        server_request_hook_handler=_bind,
        exclude=WATCHERS,
        exclude_spans=["receive", "send"],
        scopes={ScopeType.HTTP},
    ).middleware
    return [begun, NamedByRoute()]


def _details(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Name and attributes. What is typed into a filter is in the query, and may be a personal address."""
    return str(scope.get("method")), {URL_QUERY: ""}


def _bind(span: Span, _scope: Any) -> None:
    structlog.contextvars.bind_contextvars(**ids(span))


class NamedByRoute(ASGIMiddleware):
    """Litestar begins the span before it looks for the route, of which a name is made that holds no ids."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        route, span = scope["path_template"], trace.get_current_span()
        span.update_name(f"{scope.get('method')} {route}")
        span.set_attribute(HTTP_ROUTE, route)
        await next_app(scope, receive, send)
