"""Uploads straight to the S3 storage, and what is said where there is none."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from service.database import Upload
from service.database.column_types import utc_now
from service.lib.encryption import Keyring
from service.lib.storage.sealed_object import sealed
from settings import load_settings
from settings.encryption import encoded
from tests.api.conftest import Served
from tests.documents.samples import pdf
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]

CONTENT = pdf(2)
FORGED = sealed(Keyring({"a": bytes(32)}), "uploads/x/content", b"x" * 103)
ANNOUNCED = {"name": "scan.pdf", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture
def settings_env(
    settings_env: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """With the files in a bucket, but for tests that are about a folder; encrypted for those that are about that."""
    if "what_is_encrypted" in request.node.name:
        monkeypatch.setenv("OFFLOAD_ENCRYPTION_KEYS", f"a:{encoded(bytes(32))}")
    if "folder" not in request.node.name:
        monkeypatch.setenv("OFFLOAD_STORAGE_URL", request.getfixturevalue("s3_url"))
        load_settings.cache_clear()
    return settings_env


async def begun(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/api/files/presigned", json=ANNOUNCED | changed)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def put(upload: dict[str, Any], content: bytes) -> None:
    async with httpx.AsyncClient() as plain:
        sent = await plain.request(upload["method"], upload["url"], content=content, headers=upload["headers"])
    assert sent.status_code == 200, sent.text


async def objects(served: Served) -> list[str]:
    return [path.split("/")[0] for path in await served.services.storage.list()]


async def test_bytes_go_to_the_bucket_and_become_a_document(acme: httpx.AsyncClient, served: Served) -> None:
    upload = await begun(acme)
    early = await acme.post(upload["complete_url"])
    assert (early.status_code, early.json()["detail"]) == (409, "Nothing was sent to the upload's URL yet.")
    await put(upload, CONTENT)
    done = await acme.post(upload["complete_url"])
    assert done.status_code == 201 and (done.json()["pages"], done.json()["sha256"]) == (2, ANNOUNCED["sha256"])
    assert (await acme.post(upload["complete_url"])).json() == done.json(), "a repetition is the same document"
    assert (await acme.get(f"/api/files/{done.json()['file_id']}/content")).content == CONTENT
    assert await objects(served) == ["documents"]
    # What is written to the address later changes nothing, and is swept.
    await put(upload, b"%PDF-other")
    assert (await acme.get(f"/api/files/{done.json()['file_id']}/content")).content == CONTENT
    again = await begun(acme, reuse=True)
    await put(again, CONTENT)
    assert (await acme.post(again["complete_url"])).json()["file_id"] == done.json()["file_id"]


@pytest.mark.parametrize(
    ("changed", "content", "code", "sentence"),
    [
        ({}, CONTENT + b"x", 400, "were announced."),
        ({"sha256": "0" * 64}, CONTENT, 400, "scan.pdf has another SHA-256 than announced."),
        ({"bytes": 200, "sha256": None}, FORGED, 415, "scan.pdf begins as a file that this service has encrypted"),
        ({"bytes": 20, "sha256": None}, FORGED[:20], 415, "scan.pdf begins as a file that this service has encrypted"),
        ({"bytes": 9, "sha256": None}, b"some text", 415, "scan.pdf is a text file, which is not read here"),
    ],
)
async def test_other_bytes_are_refused_and_leave_no_document(
    acme: httpx.AsyncClient, served: Served, changed: dict[str, Any], content: bytes, code: int, sentence: str
) -> None:
    upload = await begun(acme, **changed)
    await put(upload, content)
    refused = await acme.post(upload["complete_url"])
    assert (refused.status_code, sentence in refused.json()["detail"]) == (code, True), refused.text
    assert await objects(served) == ["uploads"], "the client may send it again"


@pytest.mark.parametrize(
    ("changed", "code"), [({"bytes": 0}, 400), ({"bytes": 10**12}, 413), ({"sha256": "xyz"}, 400), ({"name": ""}, 400)]
)
async def test_what_cannot_be_announced(acme: httpx.AsyncClient, changed: dict[str, Any], code: int) -> None:
    assert (await acme.post("/api/files/presigned", json=ANNOUNCED | changed)).status_code == code


async def test_anothers_and_an_expired_one(acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served) -> None:
    upload = await begun(acme)
    await put(upload, CONTENT)
    assert (await globex.post(upload["complete_url"])).status_code == 404
    async with served.services.database.writing() as session:
        await session.execute(update(Upload).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert (await acme.post(upload["complete_url"])).status_code == 410


async def test_a_folder_is_no_bucket(acme: httpx.AsyncClient) -> None:
    refused = await acme.post("/api/files/presigned", json=ANNOUNCED)
    assert refused.status_code == 409
    assert "this installation keeps its files in a folder: send the file to POST /api/files" in refused.json()["detail"]


async def test_what_is_encrypted_comes_through_the_api(acme: httpx.AsyncClient, served: Served) -> None:
    refused = await acme.post("/api/files/presigned", json=ANNOUNCED)
    assert refused.status_code == 409
    assert "this installation encrypts its files: send the file to POST /api/files" in refused.json()["detail"]
    file_id = (await acme.post("/api/files", files={"file": ("scan.pdf", CONTENT)})).json()["file_id"]
    got = await acme.get(f"/api/files/{file_id}/content", headers={"Range": "bytes=5-99"})
    assert (got.status_code, got.content) == (206, CONTENT[5:100])
    path = f"documents/{file_id}/content"
    stored = bytes(await (await served.services.storage.fetch(path)).bytes_async())
    assert len(stored) > len(CONTENT) and CONTENT[:100] not in stored
    await served.services.storage.put_stored(path, stored[:-1] + bytes((stored[-1] ^ 1,)))
    broken = await acme.get(f"/api/files/{file_id}/content")
    assert broken.status_code == 500 and broken.json()["detail"].startswith(
        f"The stored file {path} cannot be decrypted"
    )
