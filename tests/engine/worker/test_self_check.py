"""A worker that cannot do its queue's work says so, and says when it can again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.pool.cpu_pool import CpuPool
from service.engine.worker import self_check
from service.engine.worker.heartbeat import Heartbeat
from service.engine.worker.self_check import SelfCheck
from service.lib.async_tasks import end
from tests.waiting import wait_until_async


@pytest.fixture
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, name="checked")
    yield pool
    await pool.close()


def write_below(folder: Path) -> None:
    """Work that needs a folder."""
    (folder / "made").mkdir(exist_ok=True)


async def test_a_fault_stands_in_the_report_until_it_is_gone(
    pool: CpuPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setattr(self_check, "AGAIN_AFTER_FAULT_S", 0.05)
    monkeypatch.setattr(self_check, "AGAIN_S", 0.05)
    info = Heartbeat(None, "pdf-processing", 1, pool).info  # type: ignore[arg-type]  # nothing is reported
    checking = asyncio.create_task(SelfCheck(write_below, (tmp_path / "data",)).run_forever(pool, info))
    await wait_until_async(lambda: info.fault)
    assert "FileNotFoundError" in (info.fault or "") and str(tmp_path / "data") in (info.fault or "")
    (tmp_path / "data").mkdir()
    await wait_until_async(lambda: info.fault is None)
    (tmp_path / "data" / "made").rmdir()
    (tmp_path / "data").rmdir()
    await wait_until_async(lambda: info.fault)
    await end(checking)
