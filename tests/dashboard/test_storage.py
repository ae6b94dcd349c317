"""What takes up room."""

import re

import pytest

from service.engine.store import keys
from service.lib.clock import now_ms
from service.monitoring.storage_usage import Footprint, footprint
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker

DAY_MS = 86_400_000


async def weighed(made: Maker) -> Footprint:
    services = made.services
    return await footprint(services.store, services.storage, services.database, services.settings.queues)


async def test_an_empty_installation_is_weighed_too(viewer: Client) -> None:
    page = await viewer.get("/admin/storage")
    assert page.status_code == 200 and "none is that old" in page.text and "Every write is logged" in page.text
    assert (await viewer.get("/admin/storage/live")).text.count("<html") == 0


async def test_memory_and_files_follow_the_jobs(made: Maker) -> None:
    for _ in range(12):
        await made.completed(await made.active(), {"text.txt": (b"x" * 5_000, "text/plain")})
    await made.queued()
    usage = next(usage for usage in (await weighed(made)).queues if usage.name == "pdf-processing")
    assert usage.memory.jobs == 13 and usage.ended == 12
    assert usage.memory.artefacts == pytest.approx(60_000)
    record = await made.store.redis.memory_usage(keys.job((await made.store.list(state="queued")).jobs[0].id))
    assert usage.memory.records > 13 * record / 2
    assert usage.memory.indexes > 0 and usage.memory.logs > 0 and usage.total < 1_000_000


async def test_a_day_less_is_counted_by_when_jobs_ended(viewer: Client, made: Maker) -> None:
    ids = [await made.completed(await made.active(), {"text.txt": (b"x" * 5_000, "text/plain")}) for _ in range(3)]
    ended = keys.finished("pdf-processing")
    await made.store.redis.zadd(ended, {job_id: now_ms() - int(6.5 * DAY_MS) for job_id in ids[:2]})
    usage = next(usage for usage in (await weighed(made)).queues if usage.name == "pdf-processing")
    assert (usage.less_jobs, usage.less_storage) == (2, pytest.approx(10_000)) and usage.less_memory > 1_000
    page = (await viewer.get("/admin/storage")).text
    assert re.search(r"2 jobs: about [\d.]+ kB of Redis and 10\.0 kB of files", page)


async def test_the_biggest_keys_are_named_and_everybody_shares_one_weighing(viewer: Client, made: Maker) -> None:
    for _ in range(3):
        await made.queued()
    first = (await viewer.get("/admin/storage")).text
    assert keys.by_type("pdf-ocr", "queued") in first
    requested = (await made.store.redis.info("commandstats"))["cmdstat_memory|usage"]["calls"]
    await viewer.get("/admin/storage/live")
    assert (await made.store.redis.info("commandstats"))["cmdstat_memory|usage"]["calls"] == requested
