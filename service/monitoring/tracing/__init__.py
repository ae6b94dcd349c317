"""Traces by OpenTelemetry, an extra: where it is off, nothing of it is imported and no job costs a step more."""

import os
from typing import Any, Protocol

import structlog

from service.engine.tracing import Tracing
from settings.tracing import trace_endpoint

log = structlog.get_logger("offload.tracing")


class ExportedTracing(Tracing, Protocol):
    """Tracing whose spans leave the process."""

    def middleware(self) -> list[Any]:
        """Middleware that begins a span with every request of an app."""
        ...

    async def close(self) -> None:
        """Send the remaining spans, for FLUSH_S at most: a collector that is away must not hold up the exit."""
        ...


def open_tracing(part: str) -> ExportedTracing | None:
    """Tracing for a process that is this part of the installation (web, worker), if the OTEL_ variables ask for it.

    What keeps traces from being sent is said once and stops nothing: they are never worth a job.
    """
    try:
        if trace_endpoint(os.environ) is None:
            return None
        from service.monitoring.tracing.exporter import exporting
    except ValueError as error:
        log.warning("tracing.disabled", problem=str(error))
    except ImportError:
        log.warning("tracing.disabled", problem="OpenTelemetry is not installed: pip install 'offload[otel]'")
    else:
        return exporting(part)
    return None
