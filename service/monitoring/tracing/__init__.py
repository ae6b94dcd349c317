"""Traces by OpenTelemetry, an extra: where it is off, nothing of it is imported and no job costs a step more."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from service.engine.enqueuer import Enqueuer
from service.engine.store import Store
from settings.queues import Queue, QueueSettings
from settings.tracing import trace_endpoint

log = structlog.get_logger("offload.tracing")


class Tracing(Protocol):
    """What takes the place of the parts that make no spans."""

    def enqueuer(self, store: Store, queues: Mapping[Queue, QueueSettings]) -> Enqueuer:
        """An `Enqueuer` whose jobs carry their trace."""
        ...

    def execution(self, *made_of: Any) -> Any:
        """An `Execution`, made of the same, whose attempt is a span."""
        ...

    def middleware(self) -> list[Any]:
        """What begins a span with every request of an app."""
        ...

    async def close(self) -> None:
        """Send what is left, for a moment; a collector that is away holds up nothing."""
        ...


def open_tracing(part: str) -> Tracing | None:
    """Tracing for a process that is this part of the installation (web, worker), if the OTEL_ variables ask for it.

    What keeps traces from being sent is said once and stops nothing: they are never worth a job.
    """
    try:
        if trace_endpoint(os.environ) is None:
            return None
        from service.monitoring.tracing.exporter import exporting
    except ValueError as error:
        log.warning("no traces are sent", problem=str(error))
    except ImportError:
        log.warning("no traces are sent", problem="OpenTelemetry is not installed: pip install 'offload[otel]'")
    else:
        return exporting(part)
    return None
