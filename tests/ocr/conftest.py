"""What the OCR tests share: a pool kept over the session (loading an engine takes seconds) and a run on a folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.engine.pool.cpu_pool import CpuPool
from settings import Settings
from tasks.sdk.testing import LocalRun


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, name="ocr tests")
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted networks, kept from one run of the tests to the next where it has a cache: converting takes half a minute."""
    cache = getattr(request.config, "cache", None)
    return (cache.mkdir("ocr-data") if cache else tmp_path_factory.mktemp("ocr-data")) / "models"


@pytest.fixture
def run(tmp_path: Path, pool: CpuPool, models: Path, monkeypatch: pytest.MonkeyPatch) -> LocalRun:
    settings = Settings(data_dir=models.parent)
    monkeypatch.setattr("tasks.pdf_ocr.load_settings", lambda: settings)
    return LocalRun(tmp_path, pool)
