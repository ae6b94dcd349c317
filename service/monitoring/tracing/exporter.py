"""Tracing that exports: one process's spans, and what makes them in the places of the parts that make none."""

import asyncio
import os
import platform
import threading
from collections.abc import Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from service.engine.store import Store
from service.monitoring.tracing.http_spans import request_spans
from service.monitoring.tracing.spans import VERSION, Spans
from service.monitoring.tracing.traced_enqueuer import TracedEnqueuer
from service.monitoring.tracing.traced_execution import TracedExecution
from settings.queues import Queue, QueueSettings

FLUSH_S = 3.0
"""How long the end of a process waits for a collector that takes no spans: a deploy has other things to do."""


class Traced:
    """Implements service.monitoring.tracing.Tracing over one provider of spans."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self.spans = Spans(provider)

    def enqueuer(self, store: Store, queues: Mapping[Queue, QueueSettings]) -> TracedEnqueuer:
        return TracedEnqueuer(store, queues, self.spans)

    def execution(self, *made_of: Any) -> TracedExecution:
        return TracedExecution(self.spans, *made_of)

    def middleware(self) -> list[Any]:
        return request_spans(self.provider)

    async def close(self) -> None:
        # A thread of its own, not one of the loop's: those are waited for, however long they hang.
        ending = threading.Thread(target=self.provider.shutdown, name="traces-ending", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_S)


def exporting(part: str) -> Traced:
    """Tracing to the collector of the OTEL_ variables. Spans leave in a thread; what cannot leave is dropped."""
    resource = Resource(
        {
            "service.name": f"offload-{part}",
            "service.version": VERSION,
            "host.name": platform.node(),
            "process.pid": os.getpid(),
        }
    ).merge(OTELResourceDetector().detect())
    # The stable names of attributes, of which the query can be left out in one place (requests.py).
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
    # Its own hook at the interpreter's end waits half a minute for a collector that is away.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traced(provider)
