"""The bucket is gone or hangs, or the disk of the files is full, under exports: they wait, and none becomes a dead letter."""

import asyncio
import base64
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.database import open_database
from service.database.seed import seed
from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import Installation, fill
from tests.s3 import BucketProcess, BucketServer
from tests.waiting import wait_until_async

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EXPORTS = 30
EXPORT = {"dataset": "events", "query_params": {}, "format": "csv"}


@pytest.fixture
def database(sqlite_url: str) -> str:
    async def fill() -> None:
        async with open_database(sqlite_url) as database:
            await seed(database, users=50, events=2_000)

    asyncio.run(fill())
    return sqlite_url


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    server = BucketServer()
    yield server
    server.stop()


def exporting(install: Callable[..., Installation], queue_server: EmbeddedValkey, **environment: str) -> Installation:
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, **environment)
    installation.start_web()
    installation.start_worker("tests.production.workers.Exporters")
    return installation


async def completed(installation: Installation) -> int:
    async with installation.client() as client:
        answer = await client.get("/api/jobs", params={"status": "completed", "limit": "200"})
    return len(answer.json()["jobs"]) if answer.status_code == 200 else 0


def met_outage(installation: Installation) -> bool:
    return any("job.met_outage" in process.output for process in installation.processes)


async def test_a_bucket_that_is_gone_for_ten_seconds(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, database: str, bucket: BucketServer
) -> None:
    installation = exporting(install, queue_server, OFFLOAD_DATABASE_URL=database, **bucket.environment)
    await installation.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
    await wait_until_async(lambda: completed(installation))
    await asyncio.to_thread(bucket.stop)
    await asyncio.sleep(10)
    await wait_until_async(lambda: met_outage(installation))
    bucket.start()
    row = await installation.count("S3 gone for 10 s under exports")
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (EXPORTS, 0, 0, "")


async def test_a_bucket_that_hangs(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, database: str
) -> None:
    """Connections are taken and nothing is answered: worse than none, for each call waits."""
    bucket = BucketProcess()
    try:
        # A shorter limit than the one of 20 s, so that the test is.
        limits = {"AWS_TIMEOUT": "6s"}
        installation = exporting(install, queue_server, OFFLOAD_DATABASE_URL=database, **limits, **bucket.environment)
        await installation.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
        await wait_until_async(lambda: completed(installation))
        bucket.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1)
        async with installation.client() as client:
            # Within the client's own 60 s, and with a sentence.
            upload = await client.post("/api/files", files={"file": ("a.png", PICTURE)}, timeout=60)
        bucket.process.send_signal(signal.SIGCONT)
        assert upload.status_code == 503, upload.text
        assert upload.json()["detail"].startswith("The file storage is out of reach (no answer in time)")
        row = await installation.count("S3 hangs under exports and an upload")
    finally:
        bucket.stop()
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (EXPORTS, 0, 0, "")


async def test_a_full_disk_of_the_files(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, database: str, small_disk: Path
) -> None:
    (small_disk / "files").mkdir()
    installation = exporting(
        install, queue_server, OFFLOAD_DATABASE_URL=database, OFFLOAD_STORAGE_URL=(small_disk / "files").as_uri()
    )
    filler = small_disk / "filler"
    fill(filler)
    await installation.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
    await wait_until_async(lambda: met_outage(installation))
    async with installation.client() as client:
        ready = await client.get("/health/ready")
    assert ready.status_code == 503 and ready.json()["checks"]["storage"] == "does not work: full"
    filler.unlink()
    row = await installation.count("disk of the files full under exports")
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (EXPORTS, 0, 0, "")
