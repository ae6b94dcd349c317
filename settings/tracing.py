"""Destination of traces: OpenTelemetry's own variables say it, as in every other program that sends some."""

from collections.abc import Mapping

PROTOCOL = "http/protobuf"
"""The one way of sending that the extra `otel` installs: it needs no compiled package, and every collector takes it."""

WORTH = ("OTEL_EXPORTER_OTLP_TRACES_{}", "OTEL_EXPORTER_OTLP_{}")
"""Variables of traces take precedence over those of all signals."""


def trace_endpoint(environment: Mapping[str, str]) -> str | None:
    """The configured endpoint; None where traces are off. Raises ValueError with a sentence where they cannot be sent."""
    endpoint = _value(environment, "ENDPOINT")
    if endpoint is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    exporter = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    if exporter == "none":
        return None
    if exporter != "otlp":
        raise ValueError(f"OTEL_TRACES_EXPORTER is {exporter}; traces can be sent by otlp only.")
    protocol = _value(environment, "PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; traces can be sent by {PROTOCOL} only.")
    if not endpoint.startswith(("http://", "https://")):
        raise ValueError(f"OTEL_EXPORTER_OTLP_ENDPOINT is {endpoint!r}; it must be an http:// or https:// URL.")
    return endpoint


def _value(environment: Mapping[str, str], what: str) -> str | None:
    return next((value for name in WORTH if (value := environment.get(name.format(what)))), None)
