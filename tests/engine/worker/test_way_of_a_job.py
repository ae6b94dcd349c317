"""The files that a job which does nothing goes through, from its claim to its outcome: as few as a reader can follow.

The worker is a real one, and what it calls is recorded: its Python files by the interpreter's profiler, the Lua files by a mark
that each of their functions leaves.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.pool.cpu_pool import CpuPool
from service.engine.runtime import Runtime
from service.engine.states import State
from service.engine.store import Store, scripts
from service.engine.worker.claims import ClaimedJobs, Claims
from service.engine.worker.heartbeat import Heartbeat
from service.engine.worker.leases import Leases
from service.engine.worker.listener import Listener
from service.engine.worker.worker import OffloadWorker
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tests.engine import probe
from tests.way import Way

FILES_MAX = 25
"""Before the engine was a room of its own, they were 29, in 22 changes of folder."""

APART = {
    OffloadWorker._beat_forever.__qualname__,
    Leases.renew_forever.__qualname__,
    Listener.listen_forever.__qualname__,
    Heartbeat.beat.__qualname__,
}
"""A worker's own tasks, which go on whether it has a job or not."""

ENTRY = re.compile(r"^(local function \w+\([^)]*\)|function \w+\([^)]*\))", re.MULTILINE)


@pytest.fixture
def marked_scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripts whose functions note the file that they stand in, in the set `entered`."""
    include = scripts._include

    def marked(name: str) -> str:
        text: str = ENTRY.sub(rf"\1 redis.call('SADD', 'entered', '{name}.lua') ", include(name))
        return text

    monkeypatch.setattr(scripts, "_include", marked)
    for name in ("CLAIM", "SETTLE"):
        monkeypatch.setattr(scripts, name, scripts.Script(name.lower()))
    yield


@pytest.fixture
async def worker(settings_env: dict[str, str], store: Store, enqueuer: Enqueuer) -> AsyncIterator[OffloadWorker]:
    """A worker of one slot, which ends when nothing waits any more."""
    settings = load_settings()

    async def start(ctx: dict[str, Any]) -> None:
        ctx["stack"], ctx["cpu_pool"], ctx["probes"] = contextlib.AsyncExitStack(), CpuPool(1), {}
        ctx["runtime"] = Runtime(settings, store, enqueuer, Storage(settings.storage_url), {})

    made = OffloadWorker(
        functions=[probe.probe_nothing.function],
        queue_name=str(probe.probe_nothing.queue),
        max_jobs=1,
        burst=True,
        on_startup=start,
        handle_signals=False,
    )
    yield made
    await made.ctx["stack"].aclose()
    await made.ctx["cpu_pool"].close()


async def test_a_job_that_does_nothing_goes_through_few_files_and_two_rooms(
    marked_scripts: None, worker: OffloadWorker, store: Store, enqueuer: Enqueuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await enqueuer.enqueue_many(probe.probe_nothing, [probe.Nothing()] * 2, owner="acme")
    way, claim, ended = Way(APART), Claims.up_to, OffloadWorker._ended
    claims, ends, first_ended = count(1), count(1), asyncio.Event()

    async def claimed(self: Claims, want: int, **more: Any) -> ClaimedJobs:
        # The first job opens the connections, the last of them to settle; the second one goes the way that all others go.
        if next(claims) == 2:
            await first_ended.wait()
            await store.redis.delete("entered")
            way.begin()
        return await claim(self, want, **more)

    def over(self: OffloadWorker, *arguments: Any) -> None:
        ended(self, *arguments)
        first_ended.set()
        if next(ends) == 2:
            way.end()

    monkeypatch.setattr(Claims, "up_to", claimed)
    monkeypatch.setattr(OffloadWorker, "_ended", over)
    try:
        await worker.main()
    finally:
        way.end()
    assert [(await store.present(job_id)).state for job_id in ids] == [State.COMPLETED] * 2
    lua = {name.decode() for name in await store.redis.smembers("entered")} | {"claim.lua", "settle.lua"}
    entered = sorted({*way.files, *lua})
    assert way.rooms() == ["engine", "tasks", "engine"]
    assert len(entered) <= FILES_MAX, "\n".join(entered)
