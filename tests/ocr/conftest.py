"""What the OCR tests share: a pool kept over the session (loading an engine takes seconds) and a run on a folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.pool import CpuPool
from tests.ocr.local_run import LocalRun


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, name="ocr tests")
    yield pool
    await pool.close()


@pytest.fixture
def run(tmp_path: Path, pool: CpuPool) -> LocalRun:
    return LocalRun(tmp_path, pool)
