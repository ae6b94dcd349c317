"""A large upload and its download pass through the server without ever being whole in its memory."""

import contextlib
import http.client
import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.api.apart import apart
from tests.api.conftest import ACME
from tests.documents.samples import pdf

MEGABYTE = 1_000_000
SIZE = 150 * MEGABYTE

STALLED = 100
"""Downloads that are begun and not read."""

GROWTH_MAX = 60 * MEGABYTE
"""What the process may grow by: buffers of some megabytes and what the first request imports, not 150 MB."""


class Peak:
    """The highest resident memory of a process, looked at all the time."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.start = self.highest = self.process.memory_info().rss
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self.over.wait(0.005):
            self.highest = max(self.highest, self.process.memory_info().rss)

    def __enter__(self) -> "Peak":
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.watcher.join()

    @property
    def growth(self) -> int:
        return self.highest - self.start


def large_pdf() -> bytes:
    """A PDF of 150 MB: whole, and behind its end a comment of that length with the end repeated."""
    whole = pdf(1)
    return whole + b"%" + b"x" * (SIZE - len(whole)) + b"\n" + whole[whole.rindex(b"startxref") :]


@pytest.mark.scale
def test_150_megabytes_in_and_out(settings_env: dict[str, str], tmp_path: Path) -> None:
    with apart(settings_env, tmp_path / "server.log") as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
        # What is imported at the first use does not count.
        small = upload(connection, pdf(1))
        download(connection, small)
        with Peak(server.pid) as uploading:
            file_id = upload(connection, large_pdf())
        with Peak(server.pid) as downloading:
            assert download(connection, file_id) > SIZE
        with Peak(server.pid) as stalling, contextlib.ExitStack() as begun:
            for _ in range(STALLED):
                begun.enter_context(stalled(connection.host, int(connection.port), file_id))
            # Each of these gives the server turns in which it sends more, if it would.
            for _ in range(STALLED):
                download(connection, small)
    print(f"grew by {uploading.growth:,} bytes in, {downloading.growth:,} bytes out, {stalling.growth:,} bytes stalled")
    assert stalling.growth < STALLED * MEGABYTE
    assert uploading.growth < GROWTH_MAX
    assert downloading.growth < GROWTH_MAX


def upload(connection: http.client.HTTPConnection, content: bytes) -> str:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n'
    headers = {"Authorization": f"Bearer {ACME}", "Content-Type": "multipart/form-data; boundary=x"}
    connection.close()  # One that has been idle for some seconds, as on a busy machine, has been ended.
    connection.request("POST", "/api/files", head + content + b"\r\n--x--\r\n", headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 201, body
    return str(json.loads(body)["file_id"])


def stalled(host: str, port: int, file_id: str) -> socket.socket:
    """A download of which the first bytes are read."""
    client = socket.create_connection((host, port))
    head = f"GET /api/files/{file_id}/content HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {ACME}\r\n\r\n"
    client.sendall(head.encode())
    assert client.recv(20).startswith(b"HTTP/1.1 200")
    return client


def download(connection: http.client.HTTPConnection, file_id: str) -> int:
    """Bytes received."""
    connection.close()
    connection.request("GET", f"/api/files/{file_id}/content", headers={"Authorization": f"Bearer {ACME}"})
    answer = connection.getresponse()
    assert answer.status == 200
    received = 0
    while chunk := answer.read(MEGABYTE):
        received += len(chunk)
    return received
