"""The spans of a job, by OpenTelemetry's conventions for messaging: who queued it, each attempt, and what that waits for.

No span has a value of a payload, nor the text of an error, which may quote one: ids, names and counts only.
"""

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.semconv._incubating.attributes import messaging_attributes as messaging
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.engine.store import Job
from service.engine.store.script_inputs import Outcome

VERSION = version("offload")

SYSTEM = "offload"
"""Name of the messaging system in the conventions."""

JOB_TYPE = "offload.job.type"
JOB_ATTEMPT = "offload.job.attempt"
JOB_OUTCOME = "offload.job.outcome"
JOB_PARENT = "offload.job.parent"
"""Attributes that the conventions have no name for."""

W3C = TraceContextTextMapPropagator()
"""Propagation of a trace in a job's record, however requests carry theirs (OTEL_PROPAGATORS)."""

UNHAPPY = frozenset({"failed", "retry", "lost"})
"""Outcomes that make an attempt's span an error."""


class Spans:
    """Implements service.engine.tracing.Tracing over one provider of spans."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("offload", VERSION)

    def enqueue(
        self, queue: str, job_type: str, *, job_id: str = "", count: int = 0
    ) -> contextlib.AbstractContextManager[Span]:
        """While a job, or `count` of them, is queued. `trace_fields` within the block carry this span."""
        given = {JOB_TYPE: job_type, messaging.MESSAGING_OPERATION_NAME: "enqueue"}
        if job_id:
            given[messaging.MESSAGING_MESSAGE_ID] = job_id
        attributes = _messaging(queue, "send") | given
        if count:
            attributes[messaging.MESSAGING_BATCH_MESSAGE_COUNT] = count
        return self._current(f"enqueue {queue}", SpanKind.PRODUCER, attributes)

    @contextlib.contextmanager
    def attempt(self, job: Job) -> Iterator[Span]:
        """Span of an attempt: a child of the request that queued the job, named in each line that it logs."""
        attributes = _messaging(job.queue, "process") | {
            messaging.MESSAGING_OPERATION_NAME: "process",
            messaging.MESSAGING_MESSAGE_ID: job.id,
            messaging.MESSAGING_CLIENT_ID: job.worker or "",
            JOB_TYPE: job.type,
            JOB_ATTEMPT: job.attempt,
        }
        if job.parent:
            attributes[JOB_PARENT] = job.parent
        # Not the worker's own context: an attempt that came without a trace begins one.
        origin = W3C.extract({"traceparent": job.traceparent, "tracestate": job.tracestate}, Context())
        begun = self._current(f"process {job.queue}", SpanKind.CONSUMER, attributes, origin)
        with begun as span, structlog.contextvars.bound_contextvars(**ids(span)):
            yield span

    def step(self, name: str) -> contextlib.AbstractContextManager[Span]:
        """While an attempt waits for one of its steps."""
        return self._current(name, SpanKind.INTERNAL, {})

    def enqueued(self, job_id: str) -> None:
        """Give the current span the id of the job that it queued."""
        trace.get_current_span().set_attribute(messaging.MESSAGING_MESSAGE_ID, job_id)

    def trace_fields(self) -> list[str]:
        """Names and values, in turn, of the fields of a job's record that carry the current trace."""
        carrier: dict[str, str] = {}
        W3C.inject(carrier)
        return [word for field in carrier.items() for word in field]

    def stage(self, message: str, percent: int) -> None:
        """Add an event to the current span: a stage is a moment, and a span keeps the last 128 of them at most."""
        trace.get_current_span().add_event(message, {"offload.job.progress": percent})

    def outcome(self, outcome: Outcome) -> None:
        """Give the current attempt's span its outcome."""
        span = trace.get_current_span()
        span.set_attribute(JOB_OUTCOME, outcome.kind)
        if outcome.kind in UNHAPPY:
            fields = dict(zip(outcome.fields[::2], outcome.fields[1::2], strict=True))
            failed(span, str(fields.get("error_type", outcome.kind)))

    @contextlib.contextmanager
    def _current(
        self, name: str, kind: SpanKind, attributes: dict[str, Any], origin: Context | None = None
    ) -> Iterator[Span]:
        with self.tracer.start_as_current_span(
            name, origin, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                failed(span, type(error).__name__)
                raise


def _messaging(queue: str, operation: str) -> dict[str, Any]:
    return {
        messaging.MESSAGING_SYSTEM: SYSTEM,
        messaging.MESSAGING_DESTINATION_NAME: queue,
        messaging.MESSAGING_OPERATION_TYPE: operation,
    }


def failed(span: Span, error_type: str) -> None:
    """Mark a span as an error of a type."""
    span.set_attribute(ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, error_type))


def ids(span: Span) -> dict[str, str]:
    """Fields by which a line in the log names a span."""
    seen = span.get_span_context()
    return {"trace_id": format_trace_id(seen.trace_id), "span_id": format_span_id(seen.span_id)}
