"""Traces: one from the request to the end of the task, through the queue; and what tracing may never do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.apart import apart
from tests.monitoring.collector import collecting
from tests.waiting import LIMIT_S, wait_until_async

ACME = {"Authorization": "Bearer acme-secret-key-1"}
EXPORT = {"dataset": "users", "query_params": {"email": "somebody@example.com"}, "format": "csv"}


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker of the exports."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "arq", "tasks.workers.CsvExport"], env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


async def test_one_trace_leads_from_the_request_to_the_end_of_the_task(
    settings_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real processes and the wire; nothing of the payload is in it."""
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        environment = os.environ | settings_env
        with (
            worker(dict(environment), tmp_path / "worker.log"),
            apart(settings_env, tmp_path / "web.log", "dashboard.app:create_app") as web,
        ):
            caller = f"00-{'ab' * 16}-{'cd' * 8}-01"
            async with httpx.AsyncClient(base_url=web.url, headers=ACME, timeout=LIMIT_S) as client:
                answer = await client.post(
                    "/api/jobs/csv-export?note=private", json=EXPORT, headers={"traceparent": caller}
                )
                job_id = answer.json()["job_id"]
            await wait_until_async(lambda: collector.named("process csv-export"))
        (request,), (sent,), (attempt,), *_ = (
            collector.named(name) for name in ("POST /api/jobs/csv-export", "enqueue csv-export", "process csv-export")
        )
        (step,) = collector.named("cpu write_export")
    assert {span.trace_id for span in (request, sent, attempt, step)} == {"ab" * 16}
    assert [span.parent_id for span in (request, sent, attempt, step)] == [
        "cd" * 8, request.span_id, sent.span_id, attempt.span_id,
    ]  # fmt: skip
    assert [span.kind for span in (request, sent, attempt, step)] == ["SERVER", "PRODUCER", "CONSUMER", "INTERNAL"]
    assert [request.part, sent.part, attempt.part] == ["offload-web", "offload-web", "offload-worker"]
    assert request.attributes["http.route"] == "/api/jobs/csv-export"
    assert request.attributes["http.response.status_code"] == 202
    assert {
        "messaging.system": "offload",
        "messaging.destination.name": "csv-export",
    }.items() <= sent.attributes.items()
    assert sent.attributes["messaging.message.id"] == attempt.attributes["messaging.message.id"] == job_id
    assert attempt.attributes["offload.job.outcome"] == "completed"
    assert not [secret for secret in (b"somebody", b"private", b"acme-secret") if secret in collector.raw]
    lines = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines() if line[:1] == "{"]
    reported = [line for line in lines if line.get("job") == job_id]
    assert reported and {line["trace_id"] for line in reported} == {"ab" * 16}
