"""Redis 7 alone: killed, by TLS with a user of few rights, without memory, without disk."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from service.engine.redis.client import connect
from service.supervisor.stack import Stack
from settings import Settings
from tests.production.harness import Installation, fill
from tests.production.needs import need_program
from tests.production.servers import RedisServer
from tests.tls import certificate
from tests.waiting import wait_until_async

JOBS = 300

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def documented_rights() -> str:
    """Rights of the queue server's user, as docs/operating.md has them."""
    found = re.search(r"user offload on >password (.+?)\n\n", OPERATING.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    yield server
    server.kill()


async def test_killed_under_load(install: Callable[..., Installation], redis_server: RedisServer) -> None:
    installation = install(OFFLOAD_REDIS_URL=redis_server.url)
    installation.start_web()
    installation.start_worker()
    sending = asyncio.create_task(installation.send(JOBS))
    await wait_until_async(lambda: len(installation.accepted) > JOBS // 3)
    redis_server.kill()
    await asyncio.sleep(4)
    await asyncio.to_thread(redis_server.start)
    await sending
    row = await installation.count("Redis 7: kill -9 for 4 s")
    assert (row.jobs, row.lost, row.twice, row.stuck) == (JOBS, 0, 0, 0)


@pytest.mark.parametrize("user", ["", "offload"], ids=["password", "user with the documented rights"])
@pytest.mark.parametrize("make", ["redis-server", "valkey-server"])
async def test_tls_and_a_password(install: Callable[..., Installation], tmp_path: Path, make: str, user: str) -> None:
    need_program(make, installable=make != "valkey-server")
    files = certificate(tmp_path / "tls")
    rights = [f"user offload on >password {documented_rights()}"] if user else []
    # With a user of its own the default one is off in effect: nothing here knows its password.
    server = RedisServer(
        tmp_path / "redis", *rights, tls=files, program=make, password="default" if user else "password"
    )
    try:
        url = f"rediss://{user}:password@localhost:{server.port}/0?ssl_ca_certs={files.ca}"
        installation = install(OFFLOAD_REDIS_URL=url)
        installation.start_web()
        worker = installation.start_worker()
        await installation.send(100, pace_s=0.05)
        row = await installation.count(f"{make}: TLS and {'ACL' if user else 'password'}")
        checked = installation.start("arq", "--check", "tests.production.workers.Nappers")
        assert await asyncio.to_thread(checked.process.wait, 30) == 0, checked.output
        assert "NOPERM" not in worker.output
    finally:
        server.kill()
    assert (row.jobs, row.lost, row.twice, row.stuck) == (100, 0, 0, 0)


async def test_full_memory(install: Callable[..., Installation], redis_server: RedisServer) -> None:
    installation = install(OFFLOAD_REDIS_URL=redis_server.url)
    installation.start_web()
    await installation.send(60, pace_s=0, payload={"nap_s": 0.2})
    with redis_server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] - 100_000)
        # Running, ending and cancelling go on; nothing new is accepted.
        installation.start_worker()
        async with installation.client() as api:
            refused = await api.post("/api/jobs/nap", json={}, headers={"Idempotency-Key": "one"})
            first = next(iter(installation.accepted.values()))
            cancelled = await api.post(f"/api/jobs/{first}/cancel")
        assert refused.status_code == 503 and cancelled.status_code in (202, 409)
        row = await installation.count("Redis 7: memory full while jobs wait and run")
        client.config_set("maxmemory", 0)
    assert (row.jobs, row.lost, row.twice, row.stuck) == (60, 0, 0, 0)
    await installation.send(5)


async def test_full_disk_of_the_queue_log(
    install: Callable[..., Installation], small_disk: Path, tmp_path: Path
) -> None:
    server = RedisServer(small_disk / "redis")
    try:
        installation = install(OFFLOAD_REDIS_URL=server.url)
        installation.start_web()
        installation.start_worker()
        await installation.send(50, pace_s=0.02)
        filler = small_disk / "filler"
        fill(filler)
        sending = asyncio.create_task(installation.send(50, pace_s=0.02))
        # With `appendfsync always` the server ends rather than accept what it cannot keep.
        await wait_until_async(lambda: server.process is not None and server.process.poll() is not None)
        filler.unlink()
        await asyncio.to_thread(server.start)
        await sending
        row = await installation.count("Redis 7: disk of the queue's log full")
    finally:
        server.kill()
    assert (row.jobs, row.lost, row.twice, row.stuck) == (100, 0, 0, 0)


async def test_the_supervisor_on_a_full_disk(small_disk: Path) -> None:
    lines: list[str] = []
    stack = Stack(Settings(data_dir=small_disk / "data"), lambda _, line: lines.append(line))
    (small_disk / "data").mkdir()
    await stack._start_valkey()
    server = stack._valkey
    assert server is not None
    client = connect(server.url)
    try:
        await client.set("some", "thing")
        filler = small_disk / "filler"
        fill(filler)

        async def ended_twice() -> bool:
            with contextlib.suppress(RedisError, OSError):
                await client.set("other", "x" * 20_000)
            return sum("is full" in line for line in lines) >= 2

        await wait_until_async(ended_twice)
        filler.unlink()

        async def written() -> bool:
            with contextlib.suppress(RedisError, OSError):
                return bool(await client.set("other", "thing"))
            return False

        await wait_until_async(written)
        assert await client.get("some") == b"thing"
    finally:
        await client.aclose(close_connection_pool=True)
        await stack._stop_valkey()
    full = [line for line in lines if "is full" in line]
    assert full[0] == f"ended with code 1 (the disk under {small_disk}/data/queue is full); again in 0.5 s"
    assert full[1].endswith("again in 1.0 s")
