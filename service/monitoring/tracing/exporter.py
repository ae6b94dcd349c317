"""`Exporter`: one process's spans, sent to the collector that the OTEL_ variables name."""

import asyncio
import os
import platform
import threading
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from service.monitoring.tracing.http_spans import request_spans
from service.monitoring.tracing.spans import VERSION, Spans

FLUSH_S = 3.0
"""Seconds that the end of a process waits for a collector that takes no spans: a deploy has other things to do."""


class Exporter(Spans):
    """Tracing whose spans leave the process."""

    def __init__(self, provider: TracerProvider) -> None:
        super().__init__(provider)
        self.provider = provider

    def middleware(self) -> list[Any]:
        return request_spans(self.provider)

    async def close(self) -> None:
        # A thread of its own, not one of the loop's: those are waited for, however long they hang.
        ending = threading.Thread(target=self.provider.shutdown, name="traces-ending", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_S)


def exporting(part: str) -> Exporter:
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
    return Exporter(provider)
