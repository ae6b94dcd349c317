"""A primary that is killed, frozen, replaced as planned, or cut off, under load: no accepted job is lost.

A job whose end had not reached the replica yet runs again, as after a crash: `twice` counts those, and need not be 0.
"""

import asyncio
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.production.harness import Installation
from tests.production.namespaces import network
from tests.production.needs import need_program
from tests.production.proxy import Proxy
from tests.production.servers import Watched
from tests.tls import certificate
from tests.waiting import wait_until, wait_until_async

JOBS = 300


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path / "watched")
    yield servers
    servers.stop()


def installed(install: Callable[..., Installation], watched: Watched, **more: str) -> Installation:
    installation = install(OFFLOAD_REDIS_URL=watched.url, **more)
    installation.start_web()
    installation.start_worker()
    return installation


async def under_load(installation: Installation, disturb: Callable[[], object]) -> None:
    """Send JOBS jobs, and disturb the servers once a third has been accepted."""
    sending = asyncio.create_task(installation.send(JOBS))
    await wait_until_async(lambda: len(installation.accepted) > JOBS // 3)
    await asyncio.to_thread(disturb)
    await sending


async def test_kill(install: Callable[..., Installation], watched: Watched) -> None:
    installation, old = installed(install, watched), watched.servers[0]
    await under_load(installation, old.kill)
    await wait_until_async(lambda: watched.primary() is not old)
    row = await installation.count("Sentinel: primary killed")
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_freeze(install: Callable[..., Installation], watched: Watched) -> None:
    installation, old = installed(install, watched), watched.servers[0]
    await under_load(installation, lambda: old.signal(signal.SIGSTOP))
    await wait_until_async(lambda: watched.primary() is not old)
    old.signal(signal.SIGCONT)
    # It comes back as a primary of its own, and is one until the Sentinels demote it.
    await installation.send(50)
    await wait_until_async(lambda: old.role() == "slave")
    row = await installation.count("Sentinel: primary frozen, and back")
    assert (row.jobs, row.lost, row.stuck) == (JOBS + 50, 0, 0)


async def test_planned_failover(install: Callable[..., Installation], watched: Watched) -> None:
    installation, old = installed(install, watched), watched.servers[0]

    def replace() -> None:
        with watched.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", "offload")

    await under_load(installation, replace)
    await wait_until_async(lambda: watched.primary() is not old and old.role() == "slave")
    row = await installation.count("Sentinel: planned SENTINEL FAILOVER")
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_the_primary_is_cut_off(install: Callable[..., Installation], tmp_path: Path) -> None:
    """The clients see the majority of the Sentinels, and the old primary goes on alone on the other side."""
    with network(3) as cables:
        servers = Watched(tmp_path / "watched", hosts=cables.hosts, namespaces=cables.names)
        try:
            installation, old = installed(install, servers), servers.servers[0]
            await under_load(installation, lambda: cables.cut(0))
            await wait_until_async(lambda: servers.primary() not in (None, old))
            cables.join(0)
            await wait_until_async(lambda: old.role() == "slave")
            row = await installation.count("Sentinel: primary cut off from clients and majority")
        finally:
            servers.stop()
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_the_clients_are_cut_off_with_the_primary(install: Callable[..., Installation], tmp_path: Path) -> None:
    """The majority replaces a primary that goes on with clients and workers: a 202 waits for what it cannot have."""
    ask = need_program("redis-cli", "redis-tools")
    with network(3, far=(1, 2)) as cables:
        servers = Watched(tmp_path / "watched", hosts=cables.hosts, namespaces=cables.names)
        far = servers.sentinels[1]

        def replaced() -> bool:
            """Asked on the far side, as nothing of it can be seen from here."""
            question = [ask, "-h", far.host, "-p", str(far.port), "SENTINEL", "get-master-addr-by-name", "offload"]
            named = subprocess.run([*far.inside, *question], capture_output=True, text=True, check=True).stdout.split()
            return named[:1] != [cables.hosts[0]]

        def cut() -> None:
            cables.cut_far()
            wait_until(replaced)

        try:
            installation, old = installed(install, servers, OFFLOAD_ENQUEUE_WAIT="1"), servers.servers[0]
            sending = asyncio.create_task(under_load(installation, cut))
            await wait_until_async(lambda: sending.done() or installation.answers[503] >= 20)
            await asyncio.to_thread(wait_until, replaced)
            cables.join_far()
            await wait_until_async(lambda: old.role() == "slave")
            await sending
            row = await installation.count("Sentinel: primary cut off with its clients, ENQUEUE_WAIT=1")
        finally:
            servers.stop()
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_failover_under_tls(install: Callable[..., Installation], tmp_path: Path) -> None:
    """Clients, servers and Sentinels speak nothing but TLS."""
    servers = Watched(tmp_path / "watched", tls=certificate(tmp_path / "tls"))
    try:
        installation, old = installed(install, servers), servers.servers[0]
        assert installation.environment["OFFLOAD_REDIS_URL"].startswith("rediss+sentinel://")
        await under_load(installation, old.kill)
        await wait_until_async(lambda: servers.primary() is not old)
        row = await installation.count("Sentinel: TLS throughout, primary killed")
    finally:
        servers.stop()
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_planned_failover_behind_a_proxy(install: Callable[..., Installation], tmp_path: Path) -> None:
    """Writes are paused first: nothing tells the proxy of a failover before it has happened."""
    with network(3) as cables:
        servers = Watched(tmp_path / "watched", hosts=cables.hosts, namespaces=cables.names)
        proxy = Proxy(tmp_path / "proxy", servers)
        try:
            installation, old = install(OFFLOAD_REDIS_URL=proxy.url), servers.servers[0]
            installation.start_web()
            installation.start_worker()

            def replace() -> None:
                with old.client() as client, servers.sentinels[0].client() as sentinel:
                    client.execute_command("CLIENT", "PAUSE", 30_000, "WRITE")
                    sentinel.execute_command("SENTINEL", "FAILOVER", "offload")

            await under_load(installation, replace)
            await wait_until_async(lambda: servers.primary() not in (None, old) and old.role() == "slave")
            row = await installation.count("Sentinel behind HAProxy: CLIENT PAUSE, SENTINEL FAILOVER")
        finally:
            proxy.stop()
            servers.stop()
    assert (row.jobs, row.lost, row.stuck) == (JOBS, 0, 0)


async def test_a_202_means_on_two_servers(install: Callable[..., Installation], watched: Watched) -> None:
    installation = installed(install, watched, OFFLOAD_ENQUEUE_WAIT="1")
    await installation.send(20, pace_s=0)
    for replica in watched.servers[1:]:
        replica.signal(signal.SIGSTOP)
    try:
        async with installation.client() as client:
            headers = {"Idempotency-Key": "one"}
            answer = await client.post("/api/jobs/nap", json={}, headers=headers)
            # The second request finds the job queued, and is refused all the same.
            again = await client.post("/api/jobs/nap", json={}, headers=headers)
    finally:
        for replica in watched.servers[1:]:
            replica.signal(signal.SIGCONT)
    for refused in (answer, again):
        assert refused.status_code == 503 and refused.headers["retry-after"]
    assert answer.json()["detail"].startswith("No second server has confirmed the request yet")
    await installation.send(20, pace_s=0)
    row = await installation.count("ENQUEUE_WAIT=1: replicas frozen, and back")
    assert (row.jobs, row.lost, row.twice, row.stuck) == (40, 0, 0, 0)
