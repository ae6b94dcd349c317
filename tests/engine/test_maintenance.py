"""Duties of the elected process while a part that one of them needs is away."""

import structlog.testing

from service.database import Database
from service.engine.job_files import JobFiles
from service.engine.maintenance import Duty, Maintenance
from service.engine.store import Store
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tests.ports import free_port


async def test_a_duty_that_meets_an_outage_is_put_off_in_one_line_and_keeps_none_waiting(store: Store) -> None:
    settings, done = load_settings(), []
    away = Database(f"postgresql+asyncpg://offload@127.0.0.1:{free_port()}/offload")

    async def next_duty() -> None:
        done.append(True)

    duties = [Duty("away", 0, away.check), Duty("next", 0, next_duty)]
    maintenance = Maintenance(settings, store, JobFiles(store, Storage(settings.storage_url)), duties)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await maintenance._do_due()
    assert done == [True] * 3
    assert [(line["event"], line["duty"], line["reason"]) for line in lines] == [
        ("duty.delayed", "away", "The database is out of reach (connection refused)")
    ]
