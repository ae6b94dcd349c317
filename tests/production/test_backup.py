"""A backup in the middle of work, restored elsewhere: every job that it holds ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from service.supervisor.backup import back_up
from service.supervisor.restore import restore
from service.supervisor.valkey import EmbeddedValkey
from settings import Settings
from tests.production.harness import Installation
from tests.waiting import wait_until_async

JOBS = 200


def running(installation: Installation) -> EmbeddedValkey:
    """The embedded queue server, and web and worker over it."""
    folder = installation.folder / "data"
    server = EmbeddedValkey(folder / "queue").start()
    (folder / "redis.url").write_text(server.url + "\n")
    installation.start_web()
    installation.start_worker()
    return server


async def test_a_backup_during_work(install: Callable[..., Installation], tmp_path: Path) -> None:
    first = install()
    server = running(first)
    try:
        sending = asyncio.create_task(first.send(JOBS, pace_s=0.1, payload={"nap_s": 0.3}))
        await wait_until_async(lambda: len(first.accepted) > JOBS // 2)
        before = dict(first.accepted)
        await asyncio.to_thread(back_up, Settings(data_dir=first.folder / "data"), tmp_path / "backup")
        await sending
    finally:
        first.stop()
        server.stop()
    second = install()
    await asyncio.to_thread(restore, Settings(data_dir=second.folder / "data"), tmp_path / "backup")
    # Those that had been accepted when the copy began are all in it.
    second.accepted = before
    server = running(second)
    try:
        row = await second.count("backup during work, restored")
    finally:
        second.stop()
        server.stop()
    assert (row.jobs, row.lost, row.twice, row.stuck) == (len(before), 0, 0, 0)
