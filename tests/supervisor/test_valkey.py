"""The embedded queue server: nothing acknowledged is lost, and it never outlives its parent."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from service.supervisor import valkey
from service.supervisor.valkey import EmbeddedValkey, ServerError
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos

WRITE_FOR_EVER = """
import redis, sys
client = redis.Redis.from_url(sys.argv[1])
number = 0
while True:
    client.set(f"job:{number}", number)
    print(number, flush=True)
    number += 1
"""

PARENT = """
import sys, time
from pathlib import Path
from service.supervisor.valkey import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1])).start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_every_acknowledged_write_survives_kill_9(tmp_path: Path):
    with EmbeddedValkey(tmp_path) as server:
        command = [sys.executable, "-c", WRITE_FOR_EVER, server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(500)]
            url, port = server.url, server.port
            server.kill()
            acknowledged += [int(line) for line in writer.stdout.read().split()]
        server.restart()
        assert (server.url, server.port) == (url, port)
        with redis.Redis.from_url(server.url) as client:
            assert client.get(f"job:{acknowledged[-1]}") == str(acknowledged[-1]).encode()
            assert client.dbsize() >= acknowledged[-1] + 1


def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        assert server.name() == "valkey-server"
        parent.kill()
    wait_until(lambda: not server.is_running())


def test_a_second_server_over_the_same_folder_is_refused(tmp_path: Path):
    with EmbeddedValkey(tmp_path), pytest.raises(ServerError, match=f"already runs over {tmp_path}"):
        EmbeddedValkey(tmp_path).start()
    with EmbeddedValkey(tmp_path) as again:
        assert again.answers()


def test_a_port_in_use_is_an_error_and_no_hang(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ServerError, match="ended with exit code 1"):
        EmbeddedValkey(tmp_path, port=taken.getsockname()[1]).start()


def test_a_free_port_that_another_takes_first_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = [taken.getsockname()[1], other := free_port()]
        monkeypatch.setattr(valkey, "free_port", lambda: free.pop(0))
        with EmbeddedValkey(tmp_path) as server:
            assert server.port == other
            server.restart()
            assert server.port == other


def test_the_password_is_needed_and_stands_in_no_command_line(tmp_path: Path):
    with EmbeddedValkey(tmp_path) as server:
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        password = server.url.split(":")[2].split("@")[0]
        assert password not in " ".join(psutil.Process(server.pid).cmdline())


async def test_async_use_over_a_folder_with_an_awkward_name(tmp_path: Path):
    folder = tmp_path / 'a "quoted" näme\\'
    async with EmbeddedValkey(folder) as server, redis.asyncio.Redis.from_url(server.url) as client:
        assert (await client.config_get("append*"))["appendfsync"] == "always"
        assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        pid = server.pid
    assert (folder / "appendonlydir").is_dir()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
