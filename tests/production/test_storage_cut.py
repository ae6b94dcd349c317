"""The bucket goes away in the middle of an upload in parts and of a download, and is slow: nothing is half-written, and no
download ends as if it were whole."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable

import boto3
import httpx
import pytest
from PIL import Image

from service.lib.storage.raw_storage import PART_BYTES
from service.supervisor.valkey import EmbeddedValkey
from tests.chaos.proxy import Proxy
from tests.ports import free_port
from tests.production.harness import Installation
from tests.s3 import BucketServer
from tests.waiting import wait_until_async

SIDE = 2_900
SLOW_S = 0.01
"""Pause of the wire after each 64 KiB: some 5 MB a second."""

LIMITS = {"AWS_TIMEOUT": "10s", "AWS_CONNECT_TIMEOUT": "3s"}


def picture() -> bytes:
    """A photograph of three parts and more: noise, which does not compress."""
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * SIDE * 3)).save(file, "PNG", compress_level=0)
    assert len(file.getvalue()) > 3 * PART_BYTES
    return file.getvalue()


class Wire:
    """The way to a bucket, which can be taken away."""

    def __init__(self, bucket: BucketServer, proxy: Proxy) -> None:
        self.bucket, self.proxy, self.port = bucket, proxy, proxy.target_port
        self.environment = bucket.environment | LIMITS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        environment = bucket.environment
        self.client = boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def take_away(self) -> None:
        """Tear what is connected and refuse what connects from now on."""
        self.proxy.target_port = free_port()
        self.proxy.cut()

    def give_back(self) -> None:
        self.proxy.target_port = self.port

    def objects(self) -> list[str]:
        """Keys of what is stored as a whole."""
        found = self.client.list_objects_v2(Bucket=self.bucket.BUCKET).get("Contents", [])
        return [one["Key"] for one in found if "health-check-" not in one["Key"]]

    def uploads(self) -> list[str]:
        """Keys of uploads in parts that were neither completed nor given up."""
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=self.bucket.BUCKET).get("Uploads", [])]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    bucket = BucketServer()
    try:
        async with Proxy(int(bucket.environment["AWS_ENDPOINT_URL"].rpartition(":")[2])) as proxy:
            yield Wire(bucket, proxy)
    finally:
        await asyncio.to_thread(bucket.stop)


async def test_a_bucket_that_goes_in_mid_upload_and_in_mid_download(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, wire: Wire
) -> None:
    content = picture()
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, **wire.environment)
    web = await asyncio.to_thread(installation.start_web)
    await asyncio.to_thread(installation.start_worker)
    async with installation.client() as client:
        wire.proxy.delay_s = SLOW_S
        file_id = await cut_in_mid_upload(client, wire, content)
        await cut_in_mid_download(client, wire, content, file_id, web.output.count)
        # A worker that reads meets it too, and the job waits.
        wire.take_away()
        await installation.send(3, pace_s=0, kind="image-process", payload={"file_id": file_id})
        await wait_until_async(lambda: "job.met_outage" in installation.processes[-1].output)
        wire.give_back()
        row = await installation.count("S3 cut in mid-upload, mid-download and under a reading worker")
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (3, 0, 0, "")


async def cut_in_mid_upload(client: httpx.AsyncClient, wire: Wire, content: bytes) -> str:
    """One sentence, no object; and the same upload is taken once the bucket is back. Returns the file's id."""
    before, flowed = wire.objects(), wire.proxy.flowed
    sending = asyncio.create_task(client.post("/api/files", files={"file": ("a.png", content)}, timeout=60))
    await wait_until_async(lambda: wire.proxy.flowed > flowed + PART_BYTES)
    wire.take_away()
    refused = await sending
    assert refused.status_code == 503 and refused.headers["retry-after"], refused.text
    assert refused.json()["detail"].startswith("The file storage is out of reach"), refused.text
    assert wire.objects() == before
    wire.give_back()
    taken = await client.post("/api/files", files={"file": ("a.png", content)}, timeout=60)
    assert taken.status_code == 201, taken.text
    return str(taken.json()["file_id"])


async def cut_in_mid_download(
    client: httpx.AsyncClient, wire: Wire, content: bytes, file_id: str, lines: Callable[[str], int]
) -> None:
    """The connection breaks, instead of ending early; the rest can be asked for."""
    path, read = f"/api/files/{file_id}/content", 0
    with pytest.raises(httpx.TransportError):
        async with client.stream("GET", path, timeout=60) as answer:
            assert answer.status_code == 200
            async for chunk in answer.aiter_bytes():
                read += len(chunk)
                if read > PART_BYTES:
                    wire.take_away()
    assert read < len(content)
    wire.give_back()
    rest = await client.get(path, headers={"Range": f"bytes={read}-"}, timeout=60)
    assert rest.status_code == 206 and rest.content == content[read:]
    whole = await client.get(path, timeout=60)
    assert hashlib.sha256(whole.content).digest() == hashlib.sha256(content).digest()
