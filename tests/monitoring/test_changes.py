"""Deploys, settings, workers and actions: noticed once, at their time, and listed in one order."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from service.database import open_database
from service.engine.pool.cpu_pool import CpuPool
from service.engine.states import State
from service.engine.store import WorkerInfo
from service.engine.store.worker_reports import SILENT_AFTER_S, WorkerReports
from service.engine.worker.heartbeat import Heartbeat
from service.lib.clock import now_ms
from service.lib.languages import in_language
from service.monitoring.alerts.alerts import record
from service.monitoring.alerts.records import HistoryEntry
from service.monitoring.audit_log import Audit, AuditEntry, Target
from service.monitoring.changes import Changes
from service.monitoring.changes.deploys import BadMark
from service.monitoring.changes.settings_in_effect import differences, settings_in_effect, shown
from settings import Settings
from tests.parts import Parts


@pytest.fixture
async def changes(parts: Parts) -> AsyncIterator[Changes]:
    async with open_database(parts.settings.database_url) as database:
        yield Changes(parts.store.redis, parts.store, Audit(database), parts.alerts)


@pytest.fixture
def beating(parts: Parts) -> Iterator[Heartbeat]:
    pool = CpuPool(1, memory_mb=0, name="thumbnails")
    yield Heartbeat(WorkerReports(parts.store.redis), "thumbnails", 2, pool)


def worker(version: str, worker_id: str = "w") -> WorkerInfo:
    at_ms = now_ms()
    return WorkerInfo(worker_id, "thumbnails", "host", 1, [], version, at_ms, at_ms, 0, 0, 0, 0)


async def words(changes: Changes) -> list[str]:
    return [one.words for one in await changes.deploys.between(0, now_ms())]


async def test_a_version_that_none_had_is_a_deploy_and_the_same_one_again_is_not(changes: Changes) -> None:
    await changes.deploys.web_reported("1.0")
    await changes.deploys.compare([worker("1.0")])
    assert sorted(await words(changes)) == ["web 1.0", "worker 1.0"]
    await changes.deploys.compare([])
    await changes.deploys.compare([worker("1.0")])
    assert len(await words(changes)) == 2, "all stopped, and the same version started"
    await changes.deploys.compare([worker("1.0"), worker("1.1")])
    await changes.deploys.compare([worker("1.1")])
    await changes.deploys.compare([worker("1.0")])
    assert sorted(await words(changes)) == ["web 1.0", "worker 1.0", "worker 1.0", "worker 1.1"], "rolled back"


@pytest.mark.parametrize("text", ["", "  \n ", "a\x00b", "x" * 201])
async def test_a_mark_without_words_is_refused(changes: Changes, text: str) -> None:
    with pytest.raises(BadMark, match="The text of a deploy mark"):
        await changes.deploys.mark(text, by="ann")
    assert await words(changes) == []


async def test_a_worker_that_stops_in_order_has_stopped_and_a_silent_one_has_died(
    changes: Changes, beating: Heartbeat
) -> None:
    await beating.beat([], health_key="health")
    await changes.compare()
    (life,) = await changes.workers.between(0, now_ms())
    assert (life.queue, life.slots, life.ended) == ("thumbnails", 2, "")
    await beating.gone()
    await changes.compare()
    (life,) = await changes.workers.between(0, now_ms())
    assert life.ended == "stopped" and life.last_ms >= life.started_ms
    at_ms = now_ms()
    silent = replace(worker("1.0", "dies"), heartbeat_ms=at_ms)
    await changes.workers.compare([silent])
    await changes.workers.compare([replace(silent, heartbeat_ms=at_ms - SILENT_AFTER_S * 1000 - 1)])
    assert {one.id: one.ended for one in await changes.workers.between(0, now_ms())} == {
        beating.info.id: "stopped",
        "dies": "died",
    }
    assert await changes.workers.between(0, life.started_ms - 1) == []


async def test_settings_that_differ_since_the_last_start_are_told_without_secrets(
    changes: Changes, parts: Parts
) -> None:
    before = parts.settings
    await changes.settings.started("web", before)
    await changes.settings.started("web", before)
    assert await changes.settings.changes.between(0, now_ms(), 9) == []
    after = before.model_copy(update={"grace_s": 77, "smtp_url": "smtp://ada:hunter2hunter2@mail"})
    await changes.settings.started("web", after)
    (found,) = await changes.settings.changes.between(0, now_ms(), 9)
    assert found.differences == [
        f"OFFLOAD_GRACE_S: {before.grace_s} → 77",
        "OFFLOAD_SMTP_URL (a secret) was set",
    ]
    assert "hunter2" not in str(await changes.settings.seen())


def test_no_secret_stands_among_the_settings_in_effect(settings_env: dict[str, str]) -> None:
    secrets = {"given_api_keys": "acme:a-very-secret-key-1", "given_dashboard_users": "ann:a-secret-password:operator"}
    found = settings_in_effect(Settings(**secrets, smtp_url="smtp://u:a-secret-pass@h"))  # type: ignore[arg-type]  # parsed as from the environment
    assert not [one for one in ("a-very-secret-key-1", "a-secret-pass") if one in str(found)]
    assert shown(found["OFFLOAD_SMTP_URL"]) == "•••" and found["OFFLOAD_GRACE_S"]
    again = settings_in_effect(Settings(**secrets, smtp_url="smtp://u:another-pass@h"))  # type: ignore[arg-type]  # parsed as from the environment
    assert differences(found, again) == ["OFFLOAD_SMTP_URL (a secret) was changed"]


async def test_changes_of_a_span_stand_in_one_order_with_their_links(changes: Changes, parts: Parts) -> None:
    began_ms = now_ms()
    entry = AuditEntry(
        actor="ann", role="operator", action="queue.steered", target=Target("queue", "csv-export"), owner=""
    )
    await changes.audit.record(replace(entry, detail="pause: for the deploy"))
    await changes.audit.record(replace(entry, outcome="refused"))
    await changes.audit.record(replace(entry, action="job.retried", target=Target("job", "j")))
    await changes.deploys.mark("2.0 is out", by="ci")
    pipe = parts.store.redis.pipeline(transaction=True)
    for rule in ("queue-backlog", "failure-rate"):
        record(pipe, HistoryEntry(now_ms(), rule, "thumbnails", "fired", "error", "too many"))
    await pipe.execute()
    found = await changes.between(began_ms - 5, now_ms() + 5, 9, but_alert="queue-backlog|thumbnails")
    assert [(one.kind, one.by, one.link) for one in sorted(found, key=lambda one: one.kind)] == [
        ("alert", "", "/admin/alerts"),
        ("deploy", "ci", f"/admin/queues?at={next(one.at_ms for one in found if one.kind == 'deploy')}"),
        ("operator", "ann", "/admin/queues/csv-export"),
    ]
    assert [one.at_ms for one in found] == sorted((one.at_ms for one in found), reverse=True)
    assert await changes.between(began_ms - 9_000, began_ms - 5_000, 9) == []
    assert len(await changes.between(began_ms - 5, now_ms() + 5, 1)) == 1


async def test_the_highest_level_of_a_minute_and_of_its_hour_stays(changes: Changes) -> None:
    def counts(waiting: int, running: int) -> dict[str, dict[State, int]]:
        return {"thumbnails": {State.QUEUED: waiting, State.ACTIVE: running}}

    minute = now_ms() // 60_000
    await changes.levels.measure(counts(7, 1), [worker("1.0")])
    await changes.levels.measure(counts(2, 3), [])
    found = await changes.levels.hours("thumbnails", minute // 60, now_ms() // 3_600_000)
    assert max(one.waiting for one in found.values()) == 7
    assert max(one.running for one in found.values()) == 3
    assert max(one.workers for one in found.values()) == 1
    minutes = await changes.levels.minutes("thumbnails", minute, minute + 1)
    assert max(one.waiting for one in minutes.values()) == 7
    assert await changes.levels.minutes("csv-export", minute, minute + 1) == {}


async def test_changes_are_told_in_the_readers_language(changes: Changes, parts: Parts) -> None:
    began_ms = now_ms()
    await changes.settings.started("worker pdf-processing", parts.settings)
    after = parts.settings.model_copy(update={"grace_s": 77, "smtp_url": "smtp://ada:hunter2hunter2@mail"})
    await changes.settings.started("worker pdf-processing", after)
    pipe = parts.store.redis.pipeline(transaction=True)
    record(pipe, HistoryEntry(now_ms(), "not-ready", "", "resolved", "critical", "it cannot be read"))
    await pipe.execute()
    await changes.workers.compare([worker("1.0")])
    with in_language("de"):
        found = {one.kind: one.words for one in await changes.between(began_ms - 5, now_ms() + 5, 9)}
    assert found["settings"] == (
        f"worker pdf-processing: OFFLOAD_GRACE_S: {parts.settings.grace_s} → 77; OFFLOAD_SMTP_URL (ein Geheimnis) wurde gesetzt"
    )
    assert found["alert"].startswith("behoben not-ready: ") and "cannot" not in found["alert"]
    assert found["worker"] == "gestartet: Worker von thumbnails auf host (Prozess 1, Version 1.0)"
