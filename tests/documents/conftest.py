from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.database import Database, open_database
from service.documents.store import DocumentStore
from service.engine.pool.cpu_pool import CpuPool
from service.lib.storage.object_storage import Storage
from settings import Settings


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path, database_kind: str) -> Settings:
    url = request.getfixturevalue("sqlite_url" if database_kind == "sqlite" else "postgres_url")
    return Settings(data_dir=tmp_path, database_url=url, max_upload_bytes=3_000_000, max_pages=50, max_video_seconds=1)


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.database_url) as database:
        yield database


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage_url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, memory_mb=512, name="uploads")
    yield pool
    await pool.close()


@pytest.fixture
def files(database: Database, storage: Storage, settings: Settings, pool: CpuPool) -> DocumentStore:
    return DocumentStore(database, storage, settings, pool)
