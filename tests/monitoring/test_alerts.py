"""Every rule from quiet to firing to resolved, and what reaches Slack and the pager although they fail at first."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import time_machine

from service.documents.scan_record import ScanRecord
from service.engine.external_services import ServiceGate
from service.engine.pool.cpu_pool import CpuPool
from service.engine.schedules import Ticker
from service.engine.store import keys
from service.engine.store.breakers import BreakerBounds
from service.engine.store.counters import Counters
from service.engine.store.run_history import last_runs
from service.engine.store.script_inputs import Claim
from service.engine.worker.heartbeat import Heartbeat
from service.lib.clock import SERVER, now_ms
from service.mail.server_status import ServerStatus
from service.monitoring.alerts import Alerts, NoSuchRule
from service.monitoring.alerts.measures import Measures
from service.monitoring.alerts.server_measures import ServerMeasures
from service.webhooks import keys as webhook_keys
from settings import Queue, load_settings
from settings.alert_rules import RULES, Rule, Severity
from tasks.csv_export import Export, csv_export
from tasks.email_batch import EmailBatch, email_batch
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.errors import ServicePaused
from tasks.sdk.types import JobType, Payload
from tasks.thumbnails import ThumbnailsOf, thumbnails
from tests.engine.conftest import ledger, start_worker  # noqa: F401  # fixtures
from tests.monitoring.receiver import Receiver, receiving
from tests.parts import Parts
from tests.waiting import wait_until_async


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        monkeypatch.setenv("OFFLOAD_SLACK_WEBHOOK_URL", f"{receiver.url}/slack")
        monkeypatch.setenv("OFFLOAD_PAGER_WEBHOOK_URL", f"{receiver.url}/v2/enqueue?routing_key=key-1")
        load_settings.cache_clear()
        yield receiver


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """Time that goes on, and that a test can move."""
    # An earlier test's heartbeat has heard the server's clock, which nothing here moves.
    monkeypatch.setattr(SERVER, "ahead_ms", None)
    with time_machine.travel(time.time(), tick=True) as clock:
        yield clock


class Watch:
    """One rule, looked at by and by."""

    def __init__(self, parts: Parts, clock: time_machine.Traveller) -> None:
        self.parts = parts
        self.clock = clock

    async def state(self, rule: str, subject: str = "", *, after_s: float = 0) -> str:
        """Where a rule stands once it has been measured, so much later."""
        self.clock.shift(timedelta(seconds=after_s))
        await self.parts.evaluation.evaluate()
        states = {state.rule.name: state for state in await self.parts.alerts.rules()}
        statuses = {one.subject: one.state for one in states[rule].statuses}
        return statuses[subject] if subject else states[rule].state

    async def job(self, job_type: JobType, payload: Payload, units: int = 0) -> str:
        """A job that a worker has begun."""
        accepted = await self.parts.enqueuer.enqueue(job_type, payload, owner="acme", units=units)
        (job,) = await self.parts.claim(queue=str(job_type.queue))
        assert job.id == accepted.job_id
        return job.id

    async def end(self, job_id: str, kind: str = "completed", attempt: str = "") -> None:
        await self.parts.end(await self.parts.store.present(job_id), kind, attempt=attempt)


@pytest.fixture
def watch(receiver: Receiver, parts: Parts, clock: time_machine.Traveller) -> Watch:
    return Watch(parts, clock)


async def test_a_backlog_is_told_after_ten_minutes_and_so_is_its_end(
    watch: Watch, parts: Parts, receiver: Receiver
) -> None:
    await parts.echo(100)
    assert await watch.state("queue-backlog") == "quiet"
    await parts.echo(1)
    assert await watch.state("queue-backlog", "thumbnails") == "pending"
    assert await watch.state("queue-backlog", "thumbnails", after_s=590) == "pending"
    assert await watch.state("queue-backlog", "thumbnails", after_s=11) == "firing"
    await parts.claim(1)
    assert await watch.state("queue-backlog") == "quiet"
    # Slack is down, then has had enough for a while, then takes both in order.
    receiver.answers = [(500, {}), (429, {"Retry-After": "30"})]
    await parts.alerts.outbox.deliver()
    (channel, pager) = await parts.alerts.outbox.channels()
    assert channel.error.startswith("slack answered 500") and channel.waiting == 2
    assert channel.again_ms > now_ms() and pager.waiting == 0
    watch.clock.shift(timedelta(seconds=5))
    await parts.alerts.outbox.deliver()
    (channel, _) = await parts.alerts.outbox.channels()
    assert "429" in channel.error and 25_000 < channel.again_ms - now_ms() <= 30_000
    requests = receiver.requests
    await parts.alerts.outbox.deliver()
    assert receiver.requests == requests, "it said when to come back"
    watch.clock.shift(timedelta(seconds=31))
    await parts.alerts.outbox.deliver()
    fired, resolved = receiver.bodies("/slack")
    assert "101 jobs wait in thumbnails" in fired["text"] and fired["blocks"][0]["type"] == "header"
    page, runbook = (block["elements"][0]["text"] for block in fired["blocks"][-2:])
    assert "/admin/jobs?queue=thumbnails" in page and "/admin/runbook#queue-backlog" in runbook
    assert "caught up" in resolved["text"]
    assert await parts.alerts.outbox.waiting() == []
    events = [(entry.event, entry.sent) for entry in await parts.alerts.history()]
    assert events == [("resolved", ["slack"]), ("fired", ["slack"])]


async def test_doubtful_pages(watch: Watch, parts: Parts) -> None:
    counters = Counters(parts.store.redis)
    await counters.count("pdf-processing", {"page_read": 10, "page_doubtful": 9})
    assert await watch.state("doubtful-pages", "pdf-processing") == "quiet", "ten pages are too few for a share"
    await counters.count("pdf-processing", {"page_read": 20})
    assert await watch.state("doubtful-pages", "pdf-processing") == "quiet", "30 % is not above 30 %"
    await counters.count("pdf-processing", {"page_doubtful": 1})
    assert await watch.state("doubtful-pages", "pdf-processing") == "firing"
    assert await watch.state("doubtful-pages", "pdf-processing", after_s=3700) == "quiet"


async def test_failures(watch: Watch, parts: Parts) -> None:
    await parts.echo(20)
    jobs = await parts.claim(20)
    for job in jobs[:19]:
        await parts.end(job)
    await parts.end(jobs[19], "failed")
    assert await watch.state("failure-rate", "thumbnails") == "quiet", "5 % is not above 5 %"
    await parts.echo(1)
    (job,) = await parts.claim(1)
    await parts.end(job, "failed")
    assert await watch.state("failure-rate", "thumbnails") == "firing"
    assert await watch.state("failure-rate", "thumbnails", after_s=3700) == "quiet"


async def test_a_silent_worker_wakes_the_on_call(
    watch: Watch,
    parts: Parts,
    receiver: Receiver,
    start_worker,  # noqa: F811
) -> None:
    worker = start_worker()

    async def reported() -> bool:
        return bool(await parts.store.workers())

    await wait_until_async(reported)
    assert await watch.state("worker-silent", "thumbnails") == "quiet"
    worker.kill()
    assert await watch.state("worker-silent", "thumbnails", after_s=290) == "quiet"
    assert await watch.state("worker-silent", "thumbnails", after_s=15) == "firing"
    (silent,) = await parts.store.workers()
    await parts.store.redis.delete(keys.WORKERS, keys.worker(silent.id))
    assert await watch.state("worker-silent") == "quiet"
    await parts.alerts.outbox.deliver()
    trigger, resolve = receiver.bodies("/v2/enqueue")
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] == "offload:worker-silent|thumbnails"
    assert trigger["routing_key"] == "key-1" and trigger["payload"]["severity"] == "critical"
    assert {"summary", "source"} <= trigger["payload"].keys() and silent.id in trigger["payload"]["summary"]
    assert len(receiver.bodies("/slack")) == 2


async def test_a_worker_that_was_replaced_is_not_missed(watch: Watch, parts: Parts, start_worker) -> None:  # noqa: F811
    first = start_worker()

    async def reported(count: int) -> bool:
        return len(await parts.store.workers()) == count

    await wait_until_async(lambda: reported(1))
    first.kill()
    two_falls_silent = start_worker()
    await wait_until_async(lambda: reported(2))
    one, two = await parts.store.workers()
    late = now_ms() - 400_000
    await parts.store.redis.zadd(keys.WORKERS, {one.id: late})
    assert await watch.state("worker-silent", "thumbnails") == "quiet"
    two_falls_silent.kill()
    await parts.store.redis.zadd(keys.WORKERS, {two.id: late})
    assert await watch.state("worker-silent", "thumbnails") == "firing"


async def test_redis_memory(watch: Watch, parts: Parts) -> None:
    redis = parts.store.redis
    assert await watch.state("redis-memory", "redis") == "quiet"
    try:
        used = (await redis.info("memory"))["used_memory"]
        await redis.config_set("maxmemory", int(used / 0.85))
        assert await watch.state("redis-memory", "redis") == "firing"
        await redis.config_set("maxmemory", int(used * 10))
        assert await watch.state("redis-memory", "redis") == "quiet"
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_full_queue_server_is_told_of_by_itself(watch: Watch, parts: Parts, receiver: Receiver) -> None:
    redis = parts.store.redis
    try:
        await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] // 2)
        assert await watch.state("redis-memory", "redis") == "firing"
        await parts.alerts.outbox.deliver()
        assert len(receiver.bodies("/slack")) == 1
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_queue_server_that_may_lose_jobs(watch: Watch, parts: Parts) -> None:
    redis = parts.store.redis
    assert await watch.state("queue-server-unsafe", "redis") == "quiet"
    try:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        assert await watch.state("queue-server-unsafe", "redis") == "firing"
        ((_, alert),) = await parts.alerts.firing()
        assert alert.detail == "maxmemory-policy is allkeys-lru, and must be noeviction"
        assert await watch.state("evictions", "redis") == "quiet"
        await redis.set("large", b"x" * 4_000_000)
        await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] - 2_000_000)
        # More than there is room for, whatever else the server gives back of its memory.
        for number in range(8):
            await redis.set(f"large-{number}", b"x" * 1_000_000)
        assert await watch.state("evictions", "redis") == "firing"
    finally:
        await redis.config_set("maxmemory", 0)
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_resetstat()
    assert await watch.state("evictions", "redis") == await watch.state("queue-server-unsafe", "redis") == "quiet"


async def test_a_queue_that_waits_for_a_part_it_needs(watch: Watch, parts: Parts, receiver: Receiver) -> None:
    controls = parts.store.controls
    await controls.set("thumbnails", "pause", reason="inventory", by="ann")
    assert await watch.state("queue-held", "thumbnails", after_s=90) == "quiet"
    await controls.remove("thumbnails", "pause")
    await controls.hold("thumbnails", "The database is out of reach (connection refused).", 600, renew=False)
    assert await watch.state("queue-held", "thumbnails", after_s=90) == "firing"
    await controls.release("thumbnails")
    assert await watch.state("queue-held", "thumbnails") == "quiet"


async def test_a_service_that_fails_in_a_row(watch: Watch, parts: Parts) -> None:
    gate = ServiceGate(parts.store.redis, {}, load_settings().queues, BreakerBounds(1, 600_000))
    async with gate.use("crm", "job-1"):
        pass
    await gate.pauses.pause("crm", reason="they move house", by="ann")
    assert await watch.state("service-paused", "crm", after_s=90) == "quiet"
    await gate.pauses.resume("crm")
    with pytest.raises(ServicePaused):
        async with gate.use("crm", "job-1"):
            raise ConnectionError("no answer")
    assert await watch.state("service-paused", "crm", after_s=90) == "firing"
    await gate.pauses.resume("crm")
    assert await watch.state("service-paused", "crm") == "quiet"


async def test_a_slow_pdf(watch: Watch) -> None:
    job_id = await watch.job(pdf_ocr, PdfOcr(file_id="file-1"))
    assert await watch.state("slow-pdf", "pdf-ocr", after_s=590) == "quiet"
    assert await watch.state("slow-pdf", "pdf-ocr", after_s=15) == "firing"
    ((_, alert),) = await watch.parts.alerts.firing()
    assert alert.link == f"/admin/jobs/{job_id}"
    await watch.end(job_id)
    assert await watch.state("slow-pdf", "pdf-ocr") == "quiet"


async def test_a_job_that_is_retried_late_is_measured_by_its_own_attempt(watch: Watch, parts: Parts) -> None:
    job_id = await watch.job(pdf_ocr, PdfOcr(file_id="file-1"))
    await watch.end(job_id, "failed")
    # The queue server's clock, which dates starts, is not the test's to move.
    await parts.store.redis.hset(keys.job(job_id), "first_started_ms", now_ms() - 36 * 60_000)
    await parts.store.retry(job_id)
    await parts.claim(queue=str(Queue.PDF_PROCESSING))
    assert await watch.state("slow-pdf", "pdf-ocr") == "quiet", "it waited for a decision, and did not run"
    await watch.end(job_id)
    (run,) = await last_runs(parts.store.redis, "pdf-processing", "pdf-ocr", 5)
    assert run.ran_ms is not None and run.ran_ms < 36 * 60_000


async def test_slow_thumbnails_are_measured_by_the_document(watch: Watch) -> None:
    job_id = await watch.job(thumbnails, ThumbnailsOf(document_ids=["a", "b"]), units=2)
    assert await watch.state("slow-thumbnails", "thumbnails", after_s=200) == "quiet"
    assert await watch.state("slow-thumbnails", "thumbnails", after_s=50) == "firing"
    await watch.end(job_id)
    assert await watch.state("slow-thumbnails", "thumbnails") == "quiet"


async def test_slow_email_counts_only_while_there_is_more_to_send_and_no_lower_limit(
    watch: Watch, parts: Parts
) -> None:
    job_id = await watch.job(email_batch, EmailBatch(template_id="t", segment="all"), units=500)
    assert await watch.state("slow-email", "email-sender") == "pending"
    assert await watch.state("slow-email", "email-sender", after_s=121) == "firing"
    await parts.store.controls.set(Queue.EMAIL_SENDER, "rate", 50, reason="the provider asked for it", by="ann")
    assert await watch.state("slow-email", "email-sender") == "quiet"
    await parts.store.controls.remove(Queue.EMAIL_SENDER, "rate")
    assert await watch.state("slow-email", "email-sender") == "pending"
    minute = now_ms() // 60_000
    for back in (1, 2, 3):
        await parts.store.redis.hset(keys.metrics("email-sender", minute - back), "mail_sent", 81)
    assert await watch.state("slow-email", "email-sender") == "quiet"
    await watch.end(job_id)


async def test_an_absent_mail_server_fires_however_little_is_left_to_send(watch: Watch, parts: Parts) -> None:
    status = ServerStatus(parts.store.redis)
    assert await watch.state("mail-server-away") == "quiet"
    await status.refused("535 5.7.8 password expired", probe=False)
    assert await watch.state("mail-server-away", "mail server", after_s=20) == "quiet"
    assert await watch.state("mail-server-away", "mail server", after_s=15) == "firing"
    reply = (await parts.alerts.history())[0].text
    assert "535 5.7.8 password expired" in reply and "Check user name and password in OFFLOAD_SMTP_URL" in reply
    await status.accepted()
    assert await watch.state("mail-server-away", "mail server") == "quiet"


async def test_an_export_that_times_out(watch: Watch) -> None:
    job_id = await watch.job(csv_export, Export(dataset="jobs"))
    assert await watch.state("export-timeout", "csv-export") == "quiet"
    await watch.end(job_id, "failed", attempt="timeout")
    assert await watch.state("export-timeout", "csv-export") == "firing"
    assert await watch.state("export-timeout", "csv-export", after_s=3700) == "quiet"


async def test_a_queue_that_will_not_drain(watch: Watch, parts: Parts) -> None:
    await parts.echo(5)
    assert await watch.state("will-not-drain", "thumbnails") == "pending"
    (rule,) = [state for state in await parts.alerts.rules() if state.rule.name == "will-not-drain"]
    (alert,) = [one for one in rule.statuses if one.subject == "thumbnails"]
    assert rule.rule.shown(alert.value) == "no end in sight", "no number is invented"
    assert alert.detail.startswith("5 wait; in the last minute 5 came and 0 went"), "it has no pace of 15 minutes yet"
    assert await watch.state("will-not-drain", "thumbnails", after_s=901) == "firing"
    await parts.claim(5)
    assert await watch.state("will-not-drain", "thumbnails") == "quiet"
    await parts.echo(5)
    await parts.store.controls.set(Queue.THUMBNAILS, "pause", reason="maintenance", by="ann")
    assert await watch.state("will-not-drain", "thumbnails") == "quiet", "it is not meant to"


async def test_a_queue_whose_only_worker_is_quiet_does_not_drain(watch: Watch, parts: Parts) -> None:
    pool = CpuPool(1, memory_mb=100, name="none")
    worker = Heartbeat(parts.store.worker_reports, "thumbnails", 10, pool)
    await worker.beat([], health_key="health")
    await parts.echo(5)
    assert await watch.state("will-not-drain", "thumbnails") == "quiet", "it has room for all of them"
    worker.info.quiet = True
    await worker.beat([], health_key="health")
    assert await watch.state("will-not-drain", "thumbnails") == "pending"
    await pool.close()


async def test_a_missed_schedule_until_it_has_run(watch: Watch, parts: Parts) -> None:
    ticks = Ticker(parts.schedules)
    await ticks.tick()
    assert await watch.state("missed-schedule") == "quiet"
    watch.clock.shift(timedelta(days=2))
    await ticks.tick()
    assert await watch.state("missed-schedule", "missing-thumbnails") == "firing"
    state = await parts.schedules.get("missing-thumbnails")
    assert state.last is not None and state.last.kind == "catch-up" and state.missed == 2
    packed = msgspec.msgpack.encode(["thumbnails-maintenance"])
    (job,) = (await parts.store.claimed(Claim("thumbnails", "w", 1, 60_000, packed))).jobs
    await parts.end(job)
    assert await watch.state("missed-schedule", "missing-thumbnails") == "quiet"


async def test_a_disabled_webhook_until_it_is_enabled_or_deleted(watch: Watch, parts: Parts) -> None:
    assert await watch.state("webhook-disabled") == "quiet"
    await parts.store.redis.hset(webhook_keys.DISABLED, "webhook-1", "acme: Every delivery has failed for 3 days.")
    assert await watch.state("webhook-disabled") == "firing"
    await parts.store.redis.delete(webhook_keys.DISABLED)
    assert await watch.state("webhook-disabled") == "quiet"


async def test_malware_for_an_hour(watch: Watch, parts: Parts) -> None:
    assert await watch.state("malware-found") == "quiet"
    await ScanRecord(parts.store.redis).found("file-1")
    assert await watch.state("malware-found") == "firing"
    assert await watch.state("malware-found", after_s=3700) == "quiet"


async def test_a_scanner_that_is_away_until_its_next_verdict(watch: Watch, parts: Parts) -> None:
    scans = ScanRecord(parts.store.redis)
    assert await watch.state("scanner-away") == "quiet"
    await scans.failed("it closed the connection")
    assert await watch.state("scanner-away") == "quiet", "it may be loading its signatures"
    assert await watch.state("scanner-away", after_s=200) == "firing"
    await scans.verdict("clean")
    assert await watch.state("scanner-away") == "quiet"


def test_every_rule_is_tested_here() -> None:
    here = Path(__file__)
    source = here.read_text(encoding="utf-8") + (here.parent / "test_server_measures.py").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f'"{rule.name}"' not in source] == []
    assert all(hasattr(Measures, rule.measure) or hasattr(ServerMeasures, rule.measure) for rule in RULES)


async def test_a_mute_keeps_quiet_and_ends(watch: Watch, parts: Parts, receiver: Receiver) -> None:
    alerts = parts.alerts
    for wrong in ({"reason": " ", "until_ms": now_ms() + 1000}, {"reason": "x", "until_ms": now_ms() - 1}):
        with pytest.raises(ValueError):
            await alerts.mute("failure-rate", by="ann", **wrong)
    with pytest.raises(NoSuchRule):
        await alerts.mute("no-such-rule", reason="x", by="ann", until_ms=now_ms() + 1000)
    await alerts.mute("failure-rate", reason="a known outage", by="ann", until_ms=now_ms() + 600_000)
    await parts.echo(1)
    (job,) = await parts.claim(1)
    await parts.end(job, "failed")
    assert await watch.state("failure-rate", "thumbnails") == "firing"
    assert await alerts.outbox.waiting() == []
    assert await watch.state("failure-rate", "thumbnails", after_s=601) == "firing"
    assert await alerts.mutes() == {}
    (message,) = await alerts.outbox.waiting()
    assert message.channel == "slack" and "thumbnails" in message.words


async def test_what_comes_and_goes_is_told_once_in_a_while(watch: Watch, parts: Parts) -> None:
    limit = 101
    for announced in (1, 1, 2):
        await parts.echo(limit)
        await watch.state("queue-backlog", "thumbnails")
        assert await watch.state("queue-backlog", "thumbnails", after_s=601) == "firing"
        waiting = [m for m in await parts.alerts.outbox.waiting() if m.id.endswith("|fired") and "backlog" in m.id]
        assert len(waiting) == announced
        while jobs := await parts.claim(100):
            for job in jobs:
                await parts.end(job)
        assert await watch.state("queue-backlog", "thumbnails", after_s=400) == "quiet"


async def test_without_receivers_alerts_are_kept_and_shown(parts: Parts, clock: time_machine.Traveller) -> None:
    assert parts.alerts.receivers == []
    await parts.echo(1)
    (job,) = await parts.claim(1)
    await parts.end(job, "failed")
    assert await Watch(parts, clock).state("failure-rate", "thumbnails") == "firing"
    (entry,) = await parts.alerts.history()
    assert (entry.event, entry.sent) == ("fired", [])
    assert await parts.alerts.outbox.waiting() == []


async def test_a_receiver_that_answers_404_for_ever_loses_nothing_and_stops_nothing(
    watch: Watch, parts: Parts, receiver: Receiver
) -> None:
    receiver.for_ever = 404
    await parts.alerts.outbox.put("m", "slack", {"text": "hello"}, "hello", once_s=60)
    for _ in range(5):
        await parts.alerts.outbox.deliver()
        watch.clock.shift(timedelta(minutes=6))
    channel = (await parts.alerts.outbox.channels())[0]
    assert channel.tries == 5 and channel.waiting == 1 and "404" in channel.error
    receiver.for_ever = None
    await parts.alerts.outbox.deliver()
    assert receiver.bodies("/slack") == [{"text": "hello"}]
    assert (await parts.alerts.outbox.channels())[0].error == ""


async def test_a_receiver_that_is_not_there_is_tried_again(watch: Watch, parts: Parts, receiver: Receiver) -> None:
    outbox = parts.alerts.outbox
    outbox.urls["slack"], right = "http://127.0.0.1:9/secret", outbox.urls["slack"]
    await outbox.put("m", "slack", {"text": "hello"}, "hello", once_s=60)
    await outbox.deliver()
    error = (await outbox.channels())[0].error
    assert error == "slack cannot be reached: ConnectError" and "secret" not in error
    outbox.urls["slack"] = right
    watch.clock.shift(timedelta(minutes=6))
    await outbox.deliver()
    assert receiver.bodies("/slack") == [{"text": "hello"}]


async def test_a_message_that_is_refused_is_not_in_the_way_of_the_next(
    watch: Watch, parts: Parts, receiver: Receiver
) -> None:
    receiver.answers = [(400, {})]
    for number in range(2):
        await parts.alerts.outbox.put(f"m{number}", "slack", {"text": f"{number}"}, f"number {number}", once_s=60)
    assert not await parts.alerts.outbox.put("m0", "slack", {"text": "0"}, "again", once_s=60)
    await parts.alerts.outbox.deliver()
    assert receiver.bodies("/slack") == [{"text": "1"}]
    assert (await parts.alerts.outbox.channels())[0].refused == "number 0: slack answered 400 ok"


async def test_a_rule_that_makes_no_sense_is_shown_and_harms_no_other(parts: Parts) -> None:
    bad = Rule("bad", "waiting_jobs", 1, "", "", Severity.WARNING, window_s=-60)
    good = Rule("good", "waiting_jobs", 0, "{value}", "over", Severity.WARNING)
    parts.alerts = Alerts(parts.settings, parts.store.redis, [bad, good])
    await parts.echo(1)
    await parts.evaluation.evaluate()
    states = {state.rule.name: state for state in await parts.alerts.rules()}
    assert states["bad"].problem == "the alert rule bad has a negative window_s: -60"
    assert states["bad"].statuses == [] and states["good"].state == "firing"
