"""Erasures that are killed, and those of an installation with several queue servers."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from service.engine.redis.places import places_of
from service.engine.store import keys
from service.erasure.signed_list import verified
from service.supervisor.valkey import EmbeddedValkey
from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.api.world import PLANTED, made_world
from tests.engine import probe
from tests.erasure.search import in_files, in_redis, in_tables
from tests.erasure.test_owner import WORD, erasure, plant, stopping, unlisted
from tests.two_servers import second
from tests.waiting import wait_until_async

__all__ = ["second"]


async def started(target: Path) -> asyncio.subprocess.Process:
    """`offload erase`, as an operator starts it."""
    command = ("-m", "service.cli.main", "erase", "--owner", "acme", "--yes", "--list", str(target))
    return await asyncio.create_subprocess_exec(sys.executable, *command, env=os.environ)


@pytest.mark.both_databases
async def test_one_that_is_killed_is_finished_and_its_list_is_whole(
    acme: httpx.AsyncClient, served: Served, hands: Hands, tmp_path: Path
) -> None:
    running, store, target = await plant(acme, hands, served), served.services.store, tmp_path / "acme.json"
    found = await erasure(served).find()
    first = await started(target)

    async def waits_for_the_job() -> bool:
        # Its schedules are gone by then, its jobs are not.
        return (await store.present(running.id)).cancel_requested

    await wait_until_async(waits_for_the_job)
    os.kill(first.pid, signal.SIGKILL)
    assert await first.wait() == -signal.SIGKILL and not target.exists()
    async with stopping(served, running):
        assert await (await started(target)).wait() == 0
    written = verified(target.read_bytes(), served.services.settings.link_key)
    assert unlisted(found, written) == Counter()
    redis = served.services.redis
    assert await redis.exists(keys.ERASING) == 0 and await in_redis(redis, WORD) == []
    assert await in_tables(served.services.database, PLANTED) == []


async def test_several_queue_servers(
    second: EmbeddedValkey, acme: httpx.AsyncClient, served: Served, hands: Hands, valkey_server: EmbeddedValkey
) -> None:
    await made_world(acme, hands)
    await served.services.enqueuer.enqueue(probe.probe_echo, probe.Echo(word=PLANTED), owner="acme")
    clients = [place.client for place in places_of(served.services.redis).all]
    assert len(clients) == 2 and all([await in_redis(client, WORD) for client in clients])
    written = await erasure(served).erase(by="cli:tests")
    assert written.removed["jobs"] >= 2
    for client in clients:
        assert await in_redis(client, WORD) == [] == await in_redis(client, b"acme")
    assert in_files(second.folder, WORD) == [] == in_files(valkey_server.folder, WORD)
