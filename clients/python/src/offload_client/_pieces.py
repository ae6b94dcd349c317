"""Uploads in pieces, by the tus protocol: what is stored when a connection breaks need not be sent again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from offload_client import _calls as calls
from offload_client.errors import ApiError, error_of

if TYPE_CHECKING:
    from offload_client.aio import AsyncClient
    from offload_client.client import Client

LARGE_BYTES = 16 << 20
"""A larger file is sent in pieces."""

PIECE_BYTES = 8 << 20
"""Bytes of a piece: what a broken connection costs at most."""

MISSING = (404, 405)
"""Answers of a server that is older than uploads in pieces."""

AGAIN = frozenset({*calls.REPEATED, 409, 460})
"""Answers after which the server is asked how far it is: another offset, or bytes that arrived altered."""

VERSION = {"Tus-Resumable": "1.0.0"}


class Progress:
    """Position in a file that is sent, and how often in a row that failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.offset = 0
        self.failures = 0

    def beginning(self, name: str, reuse: bool) -> calls.Call:
        """The request that begins the upload. Repeated it begins another, and the first expires."""
        pairs = {"filename": name} | ({"reuse": "true"} if reuse else {})
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        headers = VERSION | {"Upload-Length": str(self.size), "Upload-Metadata": metadata}
        return calls.Call("POST", "/api/uploads", headers=headers)

    def piece(self) -> bytes:
        """The next bytes. Raises ValueError where the file has become shorter."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read(min(PIECE_BYTES, self.size - self.offset))
        if not data:
            raise ValueError(f"{self.path} has become shorter while it was sent.")
        return data

    def headers(self, data: bytes) -> dict[str, str]:
        """Headers of a piece."""
        digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
        own = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(self.offset)}
        return VERSION | own | {"Upload-Checksum": f"sha1 {digest}"}

    def at(self, response: httpx.Response) -> str | None:
        """Move to where the server is. Returns the id of the document once it is there."""
        self.offset = int(response.headers["upload-offset"])
        found: str | None = response.headers.get("offload-file-id")
        return found

    def failed(self, response: httpx.Response | None, error: httpx.TransportError | None, base_url: object) -> float:
        """Seconds to wait before the next try. Raises what went wrong after too many tries, or at once where none helps."""
        if response is not None and response.status_code not in AGAIN:
            raise error_of(response)
        self.failures += 1
        if self.failures > calls.RETRIES:
            if error is not None:
                raise calls.unreachable(base_url, error) from error
            assert response is not None
            raise error_of(response)
        return calls.pause_s(self.failures - 1, response)


def state_call(address: str) -> calls.Call:
    """Ask how far an upload is."""
    return calls.Call("HEAD", address, headers=VERSION)


def send(client: Client, path: Path, name: str, reuse: bool) -> str | None:
    """Send a file in pieces. Returns the document's id; None where the server knows no such uploads.

    `name` is the document's name there; `reuse` takes a document with the same bytes instead of storing them again. Raises
    ApiError for a refusal, and once several tries of one piece in a row have failed.
    """
    progress = Progress(path)
    try:
        address = client._send(progress.beginning(name, reuse)).headers["location"]
    except ApiError as error:
        if error.status_code in MISSING:
            return None
        raise
    while True:
        data, response, broken = progress.piece(), None, None
        try:
            response = client._http.patch(address, content=data, headers=progress.headers(data))
            if response.is_success:
                progress.failures = 0
                if file_id := progress.at(response):
                    return file_id
                continue
        except httpx.TransportError as error:
            broken = error
        time.sleep(progress.failed(response, broken, client._http.base_url))
        if file_id := progress.at(client._send(state_call(address))):
            return file_id


async def send_async(client: AsyncClient, path: Path, name: str, reuse: bool) -> str | None:
    """As `send`."""
    progress = Progress(path)
    try:
        address = (await client._send(progress.beginning(name, reuse))).headers["location"]
    except ApiError as error:
        if error.status_code in MISSING:
            return None
        raise
    while True:
        data, response, broken = await asyncio.to_thread(progress.piece), None, None
        try:
            response = await client._http.patch(address, content=data, headers=progress.headers(data))
            if response.is_success:
                progress.failures = 0
                if file_id := progress.at(response):
                    return file_id
                continue
        except httpx.TransportError as error:
            broken = error
        await asyncio.sleep(progress.failed(response, broken, client._http.base_url))
        if file_id := progress.at(await client._send(state_call(address))):
            return file_id
