"""What becomes of a trace within the workers: attempts, parts and chains; and what tracing may never do to a job."""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from service.engine.batching import Batcher
from service.engine.states import State
from service.engine.store import Job
from service.engine.store.script_inputs import Claim
from service.engine.worker.execution import Execution
from service.engine.worker.listener import Alarm
from service.engine.worker.outages import Outages
from service.monitoring.tracing import exporter, open_tracing
from service.monitoring.tracing.exporter import Exporter
from service.services import Services, open_services
from settings import load_settings
from settings.tracing import trace_endpoint
from tasks.sdk.types import REGISTRY, JobType, Payload
from tests.engine import probe
from tests.monitoring.collector import collecting
from tests.waiting import wait_until_async

ROOT = Path(__file__).parents[3]
PROBES = msgspec.msgpack.encode([name for name in REGISTRY if name.startswith("probe-")])


@dataclass
class Desk:
    """Queues jobs and does them, in this process, with tracing on."""

    services: Services
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    async def do(self, job_type: JobType, payload: Payload) -> Job:
        """The job, once it and all that it has led to have ended."""
        accepted = await self.services.enqueuer.enqueue(job_type, payload, owner="acme")
        await wait_until_async(self._nothing_left)
        return await self.services.store.present(accepted.job_id)

    async def _nothing_left(self) -> bool:
        store = self.services.store
        outcomes, outages = Batcher(store.until_back.settled), Outages(store, "thumbnails", {}, Alarm())
        claimed = await self.services.store.claimed(Claim("thumbnails", "w", 10, 60_000, PROBES))
        for job in claimed.jobs:
            pool, record = self.services.pool, outcomes.soon
            await Execution(job, REGISTRY[job.type], self.services.runtime, pool, record, outages).process()
        return not claimed.jobs and not await self.services.redis.zcard("thumbnails")

    def named(self, name: str, job_type: str = "") -> list[ReadableSpan]:
        """Ended spans of a name, in the order in which they began."""
        spans = [span for span in self.spans.get_finished_spans() if span.name == name]
        chosen = [span for span in spans if job_type in ("", (span.attributes or {})["offload.job.type"])]
        return sorted(chosen, key=lambda span: span.start_time or 0)


def parent_id(span: ReadableSpan) -> int | None:
    """The id of the span that it is a child of, be that of this process or of another."""
    return span.parent.span_id if span.parent else None


@pytest.fixture
async def desk(settings_env: dict[str, str]) -> AsyncIterator[Desk]:
    provider, spans = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    traced = Exporter(provider)
    async with open_services(load_settings(), tracing=traced) as services:
        yield Desk(services, spans)


async def test_each_attempt_is_a_span_of_the_same_trace_and_says_how_it_ended(desk: Desk) -> None:
    job = await desk.do(probe.probe_trouble, probe.Trouble(kind="error", until_attempt=2))
    (sent,) = desk.named("enqueue thumbnails")
    first, second = desk.named("process thumbnails")
    assert job.state is State.COMPLETED and job.traceparent.split("-")[1] == f"{sent.context.trace_id:032x}"
    assert (sent.kind, first.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert sent.parent is None and {parent_id(first), parent_id(second)} == {sent.context.span_id}
    reported = [(span.attributes or {}, span.status.status_code) for span in (first, second)]
    assert [
        (a["offload.job.attempt"], a["offload.job.outcome"], a.get("error.type"), code) for a, code in reported
    ] == [
        (1, "retry", "ValueError", StatusCode.ERROR),
        (2, "completed", None, StatusCode.UNSET),
    ]
    # The text of an error may quote what it choked on.
    assert "went wrong" not in "".join(span.to_json() for span in desk.spans.get_finished_spans())


async def test_parts_belong_to_the_attempt_that_made_them(desk: Desk) -> None:
    await desk.do(probe.probe_spread, probe.Spread(parts=3))
    whole = desk.named("process thumbnails", "probe-spread")
    (split,) = desk.named("enqueue thumbnails", "probe-piece")
    pieces = desk.named("process thumbnails", "probe-piece")
    assert [(span.attributes or {})["offload.job.outcome"] for span in whole] == ["suspend", "completed"]
    assert (
        parent_id(split) == whole[0].context.span_id and (split.attributes or {})["messaging.batch.message_count"] == 3
    )
    assert len(pieces) == 3 and {parent_id(piece) for piece in pieces} == {split.context.span_id}


async def test_a_chain_is_one_trace(desk: Desk) -> None:
    await desk.do(probe.probe_chain, probe.Chain(links=2))
    sent, links = desk.named("enqueue thumbnails"), desk.named("process thumbnails")
    assert len(links) == 3 and len({span.context.trace_id for span in [*sent, *links]}) == 1
    assert [parent_id(link) for link in links] == [span.context.span_id for span in sent]
    assert [parent_id(span) for span in sent] == [None, links[0].context.span_id, links[1].context.span_id]


async def test_a_batch_is_queued_in_one_span_and_a_job_without_a_trace_begins_one(desk: Desk) -> None:
    await desk.services.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 2, owner="acme")
    (sent,) = desk.named("enqueue thumbnails")
    assert (sent.attributes or {})["messaging.batch.message_count"] == 2
    ids = [job.id for job in (await desk.services.store.list(queue="thumbnails")).jobs]
    for name in ("traceparent", "tracestate"):
        await desk.services.redis.hdel(f"offload:job:{ids[0]}", name)
    await desk.do(probe.probe_echo, probe.Echo())
    begun = desk.named("process thumbnails")
    parents = {(span.attributes or {})["messaging.message.id"]: parent_id(span) for span in begun}
    assert parents[ids[0]] is None and parents[ids[1]] == sent.context.span_id


async def test_a_collector_that_never_answers_holds_up_neither_a_job_nor_the_end(
    settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collecting() as collector:
        collector.silent = True
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setattr(exporter, "FLUSH_S", 0.05)
        traced = exporter.exporting("worker")
        async with open_services(load_settings(), tracing=traced) as services:
            desk = Desk(services)
            assert (await desk.do(probe.probe_echo, probe.Echo())).state is State.COMPLETED
            await wait_until_async(lambda: collector.requests)
            assert (await desk.do(probe.probe_echo, probe.Echo())).state is State.COMPLETED
        assert collector.spans == []


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "must be an http:// or https:// URL"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "by http/protobuf only"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "zipkin"}, "by otlp only"),
    ],
)
def test_what_cannot_be_sent_is_said_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], problem: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with capture_logs() as lines:
        assert open_tracing("web") is None
    assert [line["event"] for line in lines] == ["tracing.disabled"] and problem in lines[0]["problem"]


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")
    monkeypatch.setitem(sys.modules, "service.monitoring.tracing.exporter", None)
    with capture_logs() as lines:
        assert open_tracing("web") is None
    assert "pip install 'offload[otel]'" in lines[0]["problem"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_asked_for(environment: dict[str, str]) -> None:
    assert trace_endpoint(environment) is None


def test_where_it_is_off_nothing_of_it_is_imported() -> None:
    """Only modules that `open_tracing` imports when it is asked for know OpenTelemetry."""
    wanted = re.compile(
        r"^\s*(?:from|import) (?:opentelemetry|litestar\.plugins\.opentelemetry|service\.monitoring\.tracing\.)", re.M
    )
    files = [file for folder in ("settings", "tasks", "service", "dashboard") for file in (ROOT / folder).rglob("*.py")]
    knowing = {file.relative_to(ROOT).parent.as_posix() for file in files if wanted.search(file.read_text())}
    assert knowing == {"service/monitoring/tracing"}
