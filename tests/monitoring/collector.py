"""A real OTLP/HTTP collector on loopback: it decodes what it is sent, and can be made to take and never answer."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Seen:
    """One span, as it came over the wire. `part` is the service that sent it."""

    part: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, object]


@dataclass
class Collector:
    """`spans` are those taken so far; while `silent`, a request gets no answer."""

    url: str = ""
    silent: bool = False
    requests: int = 0
    spans: list[Seen] = field(default_factory=list)
    raw: bytes = b""

    def named(self, name: str) -> list[Seen]:
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
        self.requests += 1
        if self.silent:
            await reader.read()
            return
        assert head.startswith("post /v1/traces ") and fields["content-type"] == "application/x-protobuf"
        body = gzip.decompress(body) if fields.get("content-encoding") == "gzip" else body
        self.raw += body
        self.spans += decoded(body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


def decoded(body: bytes) -> list[Seen]:
    """The spans of one export."""
    request = ExportTraceServiceRequest.FromString(body)
    found = []
    for sent in request.resource_spans:
        part = str(values(sent.resource.attributes)["service.name"])
        found += [seen(part, span) for scope in sent.scope_spans for span in scope.spans]
    return found


def seen(part: str, span: Span) -> Seen:
    """A span with its ids as one reads them."""
    return Seen(
        part=part,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=values(span.attributes),
    )


def values(pairs: object) -> dict[str, object]:
    """Attributes as Python values."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}  # type: ignore[attr-defined]  # made from .proto


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    server = await asyncio.start_server(collector.handle, "127.0.0.1", 0)
    collector.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield collector
