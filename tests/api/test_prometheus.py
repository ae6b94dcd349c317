"""What Prometheus is told, read by Prometheus' own parsers."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from dashboard.app import create_app
from service.database.column_types import utc_now
from service.engine.store import keys
from service.webhooks import keys as webhook_keys
from service.webhooks.rows import new_delivery
from settings import load_settings
from tests.parts import Parts

DOCS = Path(__file__).parents[2] / "docs" / "monitoring"

TOKEN = "the-token-of-a-scraper"


@pytest.fixture(autouse=True)
def monitoring_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLOAD_MONITORING_TOKEN", TOKEN)


def scraper(app: Litestar) -> AsyncTestClient[Litestar]:
    """A client that has no address and sends the token."""
    client = AsyncTestClient(app)
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    return client


async def test_metrics_are_what_a_scraper_reads(parts: Parts) -> None:
    await parts.echo(3)
    first, second = await parts.claim(2)
    await parts.end(first, run_ms=1500)
    await parts.end(second, "failed")
    third = (await parts.store.list(state="queued")).jobs[0]
    await parts.store.redis.hset(keys.job(third.id), "not_after_ms", 1)
    assert await parts.claim() == []
    async with scraper(create_app(load_settings())) as client:
        answer = await client.get("/metrics")
        opened = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.status_code == opened.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in parse(answer.text)}
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    job = {"queue": "thumbnails", "type": "probe-echo", "kind": "job"}
    assert value("offload_jobs_total", **job, event="enqueued") == 3
    assert value("offload_jobs_total", **job, event="failed") == 1
    assert value("offload_job_run_seconds_count", **job) == 1
    assert value("offload_job_run_seconds_sum", **job) == 1.5
    assert value("offload_job_run_seconds_bucket", **job, le="1.024") == 0
    assert value("offload_job_run_seconds_bucket", **job, le="4.096") == 1
    assert value("offload_queue_jobs", queue="thumbnails", state="failed") == 1
    assert value("offload_jobs_total", **job, event="expired") == 1
    assert value("offload_queue_jobs", queue="thumbnails", state="expired") == 1
    assert {family.name for family in parse_openmetrics(opened.text)} == set(families)


async def test_webhooks_are_counted_and_a_database_that_is_away_takes_only_its_own_figures(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.store.redis.hset(webhook_keys.OUTCOMES, mapping={"delivered": 4, "later": 2})
    async with scraper(app := create_app(load_settings())) as client:
        rows = app.state["services"].webhooks.rows
        waiting = new_delivery("msg_1", None, "acme", "https://8.8.8.8", "job.failed", "job-1")
        waiting.body, waiting.created_at = "{}", utc_now() - timedelta(hours=1)
        await rows.add([waiting])
        await rows.create("acme", "https://8.8.8.8", ["job.failed"])
        lines = (await client.get("/metrics")).text.splitlines()

        async def away() -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(rows, "counts", away)
        less = await client.get("/metrics")
    for line in (
        'offload_webhook_tries_total{outcome="delivered"} 4.0',
        'offload_webhook_tries_total{outcome="failed"} 0.0',
        "offload_webhook_pending 1.0",
        'offload_webhooks{state="enabled"} 1.0',
        'offload_webhooks{state="disabled"} 0.0',
    ):
        assert line in lines
    (age,) = (line.split()[1] for line in lines if line.startswith("offload_webhook_oldest_pending_seconds "))
    assert float(age) >= 3600
    assert less.status_code == 200 and "offload_webhook_tries_total" in less.text
    assert "offload_webhook_pending" not in less.text


async def test_labels_do_not_grow_with_the_jobs(parts: Parts) -> None:
    lines = []
    async with scraper(create_app(load_settings())) as client:
        for _ in range(2):
            await parts.echo(50)
            for job in await parts.claim(50):
                await parts.end(job)
            lines.append(len((await client.get("/metrics")).text.splitlines()))
    assert lines[0] == lines[1] > 100


def names_exported() -> set[str]:
    """Every sample's name that the exposition can hold."""
    source = (Path(__file__).parents[2] / "service" / "api" / "prometheus.py").read_text()
    return {word.strip('",(') for word in source.replace("(", " ").split() if word.strip('",(').startswith("offload_")}


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-rules.yml"])
def test_the_documents_ask_only_for_what_is_told(name: str) -> None:
    text = (DOCS / name).read_text()
    requested = {
        word
        for word in "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
        if word.startswith("offload_")
    }
    suffixes = ("_total", "_bucket", "_sum", "_count")
    reported = names_exported() | {reported + suffix for reported in names_exported() for suffix in suffixes}
    assert requested and requested <= reported, requested - reported


def test_promtool_takes_the_rules_and_what_the_dashboard_asks(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    rules = [
        {"record": f"panel:{n}", "expr": requested.replace("$queue", ".+")}
        for n, requested in enumerate(panel_expressions())
    ]
    panels = tmp_path / "panels.yml"
    panels.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    command = [promtool, "check", "rules", str(DOCS / "prometheus-rules.yml"), str(panels)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def panel_expressions() -> list[str]:
    board = json.loads((DOCS / "grafana-dashboard.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]
