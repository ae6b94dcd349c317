"""Queue servers of other makes than the embedded one, where the machine has them."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.ports import free_port
from tests.waiting import wait_until


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """URL of a Redis of its own; skips the test where Debian's redis-server is not installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(url) as client:
            return bool(client.ping())
        return False

    try:
        wait_until(answers)
        yield url
    finally:
        process.terminate()
        process.wait(10)
