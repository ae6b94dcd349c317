"""A fleet under random blows: every accepted job ends once, none is lost, guarded effects happen at most once.

The ledger is a file outside Redis. The order of blows comes from a seed that the failure message names.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from redis.exceptions import RedisError

from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import connect
from service.engine.redis.retry import until_back
from service.engine.states import State
from service.engine.store import Job, Store
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.chaos.proxy import Proxy
from tests.engine import probe
from tests.engine.conftest import Ledger, WorkerProcess
from tests.waiting import wait_until_async

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

JOBS, SPREADS, PARTS = 1500, 10, 40


class Fleet:
    """Workers behind a proxy, a server of their own, and an attacker that strikes at both."""

    def __init__(
        self, folder: Path, environment: dict[str, str], server: EmbeddedValkey, proxy: Proxy, seed: int
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.server = server
        self.proxy = proxy
        self.random = random.Random(seed)
        self.workers: list[WorkerProcess] = []
        self.blows: Counter[str] = Counter()

    def hire(self) -> None:
        self.workers.append(
            WorkerProcess(self.environment, self.folder / f"worker-{len(self.blows)}-{time.monotonic_ns()}.log")
        )

    async def strike(self) -> None:
        """One blow, and what a supervisor would do after it."""
        blows = [self.kill, self.deploy, self.freeze, self.kill_child, self.kill_server, self.cut, self.stall]
        blow = self.random.choices(blows, weights=[4, 3, 2, 2, 1, 3, 1])[0]
        self.blows[blow.__name__] += 1
        await blow(self.random.choice(self.workers))

    async def kill(self, worker: WorkerProcess) -> None:
        self.workers.remove(worker)
        await asyncio.to_thread(worker.kill)
        self.hire()

    async def deploy(self, worker: WorkerProcess) -> None:
        self.workers.remove(worker)
        self.hire()
        worker.terminate()
        await wait_until_async(lambda: worker.process.poll() is not None)
        # One that was still starting has no handler yet, and no job either.
        assert worker.process.returncode in (0, -signal.SIGTERM), worker.log.read_text()[-3000:]

    async def freeze(self, worker: WorkerProcess) -> None:
        os.kill(worker.pid, signal.SIGSTOP)
        await asyncio.sleep(4)  # two leases: what the blow is about
        os.kill(worker.pid, signal.SIGCONT)

    async def kill_child(self, worker: WorkerProcess) -> None:
        children = psutil.Process(worker.pid).children(recursive=True)
        if children:
            self.random.choice(children).kill()

    async def kill_server(self, worker: WorkerProcess) -> None:
        self.server.kill()
        await asyncio.sleep(self.random.uniform(0, 2))
        await asyncio.to_thread(self.server.restart)

    async def cut(self, worker: WorkerProcess) -> None:
        self.proxy.cut()

    async def stall(self, worker: WorkerProcess) -> None:
        self.proxy.flowing.clear()
        await asyncio.sleep(3)
        self.proxy.flowing.set()


async def accept(enqueuer: Enqueuer, number: int, payload: object, job_type: object) -> str:
    """Queue as a client does that tries again under the same Idempotency-Key while the server is away."""

    async def once() -> str:
        accepted = await enqueuer.enqueue(job_type, payload, owner="acme", idempotency_key=f"chaos-{number}", units=1)
        return accepted.job_id

    return await until_back(once)()


async def ended(store: Store, ids: list[str]) -> list[Job] | None:
    """The jobs once all have ended; None while some have not or the server is away."""
    try:
        jobs = [job for job in await store.get_many(ids) if job is not None]
    except (RedisError, OSError):
        return None
    assert len(jobs) == len(ids), "an accepted job is gone"
    return jobs if all(job.state.terminal for job in jobs) else None


@pytest.mark.parametrize("seed", [7, 2026])
async def test_no_blow_loses_or_doubles_a_job(
    settings_env: dict[str, str], ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        port = urlsplit(server.url).port
        assert port is not None
        async with Proxy(port) as proxy:
            environment = settings_env | {
                "OFFLOAD_REDIS_URL": server.url.replace(f":{port}", f":{proxy.port}"),
                "OFFLOAD_LEASE_S": "2",
                "PROBE_LEDGER": str(ledger.path),
            }
            fleet = Fleet(tmp_path, environment, server, proxy, seed)
            redis = connect(server.url)
            store = Store(redis)
            try:
                await run_under_blows(fleet, store, ledger)
            finally:
                for worker in fleet.workers:
                    worker.end()
                await store.watchers.close()
                await redis.aclose(close_connection_pool=True)


async def run_under_blows(fleet: Fleet, store: Store, ledger: Ledger) -> None:
    for _ in range(3):
        fleet.hire()
    enqueuer = Enqueuer(store, load_settings().queues)

    async def clients() -> list[str]:
        jobs = [
            await accept(enqueuer, n, probe.Effects(effects=3, cpu=n % 10 == 0), probe.probe_effects)
            for n in range(JOBS)
        ]
        spreads = [
            await accept(enqueuer, JOBS + n, probe.Spread(parts=PARTS), probe.probe_spread) for n in range(SPREADS)
        ]
        return jobs + spreads

    accepting = asyncio.create_task(clients())
    deadline = time.monotonic() + 240
    while not accepting.done() or await ended(store, accepting.result()) is None:
        assert time.monotonic() < deadline, f"the fleet did not recover; blows: {fleet.blows}"
        if fleet.blows.total() < 30:
            await fleet.strike()
        await asyncio.sleep(fleet.random.uniform(0.2, 1.0))
    await check(fleet, store, ledger, accepting.result())


async def check(fleet: Fleet, store: Store, ledger: Ledger, ids: list[str]) -> None:
    text = f"blows: {dict(fleet.blows)}"
    jobs = await store.get_many(ids)
    assert len(set(ids)) == JOBS + SPREADS, text
    failed = [job for job in jobs if job and job.state is not State.COMPLETED]
    odd = [job for job in failed if job.error_type != "WorkerDied" and job.type != "probe-spread"]
    ends = [(job.id, job.attempt, job.crashes, job.error_type, job.error, await store.attempts(job.id)) for job in odd]
    assert odd == [], (text, ends[:3])
    assert len(failed) < JOBS / 50, text

    effects = Counter(line[0] for line in ledger.lines("effect"))
    assert max(effects.values()) == 1, (text, effects.most_common(3))
    through = {line[0] for line in ledger.lines("through")}
    assert through >= {
        job.id for job in jobs if job and job.type == "probe-effects" and job.state is State.COMPLETED
    }, text

    minute = int(time.time() // 60)
    counts: Counter[str] = Counter()
    for row in await store.minutes("thumbnails", range(minute - 10, minute + 1)):
        counts.update(row)
    ends = counts["completed"] + counts["failed"] + counts["cancelled"]
    assert ends == JOBS + SPREADS + SPREADS * PARTS, f"every job and part ends exactly once; {text}; {dict(counts)}"
    assert counts["enqueued"] == ends, text
    assert await store.redis.hlen("offload:running:thumbnails") == 0, text
    assert await store.redis.zcard("thumbnails") == 0, text
