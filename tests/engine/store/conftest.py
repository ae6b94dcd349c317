"""Maintenance of one installation, done when a test says so."""

import pytest

from service.engine.job_files import JobFiles
from service.engine.maintenance import Maintenance
from service.engine.states import State
from service.engine.store import Store
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tests.engine import probe
from tests.waiting import wait_until_async


@pytest.fixture
def maintenance(store: Store, settings_env: dict[str, str]) -> Maintenance:
    settings = load_settings()
    return Maintenance(settings, store, JobFiles(store, Storage(settings.storage_url)))


async def dead_letters(store, enqueuer, start_worker, count: int) -> list[str]:
    """Ids of jobs that have failed for good."""
    start_worker()
    ids = await enqueuer.enqueue_many(probe.probe_trouble, [probe.Trouble(kind="permanent")] * count, owner="acme")

    async def dead() -> bool:
        return (await store.counts())["thumbnails"][State.FAILED] == count

    await wait_until_async(dead)
    return ids
