"""An S3 server on loopback, for tests of what lies in a bucket."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from tests.ports import free_port
from tests.waiting import wait_until


class BucketServer:
    """An S3 server with one bucket, which can be stopped and started again at its address with what was stored."""

    BUCKET = "some-bucket-of-ours"

    def __init__(self) -> None:
        self._port = 0
        self._server: ThreadedMotoServer | None = None
        self.start()
        client = _client(self.environment["AWS_ENDPOINT_URL"])
        client.create_bucket(Bucket=self.BUCKET)

    def start(self) -> None:
        """Listen, at the address of before."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables that a process needs to reach it, credentials included."""
        return _environment(self._port)


class BucketProcess:
    """The same as a process of its own, which can be frozen."""

    def __init__(self) -> None:
        self.port = free_port()
        code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{self.port}'])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._made)

    def _made(self) -> bool:
        client = _client(self.environment["AWS_ENDPOINT_URL"])
        try:
            client.create_bucket(Bucket=BucketServer.BUCKET)
        except EndpointConnectionError:
            return False
        return True

    @property
    def environment(self) -> dict[str, str]:
        """Variables that a process needs to reach it, credentials included."""
        return _environment(self.port)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(10)


def _client(endpoint: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def _environment(port: int) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "OFFLOAD_STORAGE_URL": f"s3://{BucketServer.BUCKET}/prefix",
    }


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where the server listens, for as long as the tests run."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(request: pytest.FixtureRequest, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a new bucket's prefix. The environment says how to reach it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{abs(hash(request.node.name)) % 10**8}"
    boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/some/prefix"
