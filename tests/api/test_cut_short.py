"""A download whose storage goes away while it is sent."""

import io
import os
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog.testing
from PIL import Image

from tests.chaos.proxy import Proxy
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]

SIDE = 1_800


@pytest.fixture
async def wire(
    s3_url: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, settings_env: object
) -> AsyncIterator[Proxy]:
    """The way to the bucket."""
    async with Proxy(int(s3_endpoint.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("OFFLOAD_STORAGE_URL", s3_url)
        yield proxy


@pytest.fixture
def content() -> bytes:
    """A picture of ten megabytes."""
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * SIDE * 3)).save(file, "PNG", compress_level=0)
    return file.getvalue()


async def test_the_connection_breaks_and_one_line_says_why(
    wire: Proxy, acme: httpx.AsyncClient, content: bytes
) -> None:
    file = (await acme.post("/api/files", files={"file": ("a.png", content)})).json()
    path, read = f"/api/files/{file['file_id']}/content", 0
    wire.delay_s = 0.01
    with structlog.testing.capture_logs() as lines, pytest.raises(httpx.RemoteProtocolError):
        async with acme.stream("GET", path) as answer:
            assert answer.status_code == 200
            async for chunk in answer.aiter_bytes():
                read += len(chunk)
                wire.cut()
    assert 0 < read < len(content)
    assert [(line["event"], line["path"], line["reason"]) for line in lines] == [
        ("response.cut_short", path, "The file storage is out of reach (no connection)")
    ]
    wire.delay_s = 0.0
    assert (await acme.get(path)).content == content
