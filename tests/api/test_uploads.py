"""Resumable uploads, by a tus client and by raw requests."""

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from tusclient.client import TusClient

from service.database import Upload
from service.database.column_types import utc_now
from service.documents import resumable
from tests.api.conftest import ACME, Served
from tests.documents.samples import everything_below, many_pages, pdf
from tests.waiting import wait_until_async

CONTENT = pdf(3) + b"%" + b"x" * 20_000
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


async def begun(client: httpx.AsyncClient, size: int = len(CONTENT), name: str = "scan.pdf") -> str:
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {encoded(name)},type"}
    answer = await client.post("/api/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0" and answer.headers["upload-expires"].endswith("GMT")
    return answer.headers["location"]


async def sent(
    client: httpx.AsyncClient, at: str, offset: int, data: bytes | AsyncIterator[bytes], **more: str
) -> httpx.Response:
    headers = PIECE | {"Upload-Offset": str(offset)} | {name.replace("_", "-"): value for name, value in more.items()}
    return await client.patch(at, content=data, headers=headers)


async def offset(client: httpx.AsyncClient, at: str) -> int:
    return int((await client.head(at, headers=TUS)).headers["upload-offset"])


async def test_a_tus_client_uploads_in_chunks_with_checksums(served: Served, acme: httpx.AsyncClient) -> None:
    def by_a_client() -> str:
        client = TusClient(f"{served.url}/api/uploads", headers={"Authorization": f"Bearer {ACME}"})
        manner = {"file_stream": io.BytesIO(CONTENT), "chunk_size": 5000, "upload_checksum": True}
        uploader = client.uploader(metadata={"filename": "Zählung.pdf"}, **manner)
        uploader.upload_chunk()
        assert uploader.offset == 5000
        # Another, which knows the address only, goes on where this one stopped.
        resumed = client.uploader(url=uploader.url, **manner)
        assert resumed.offset == 5000
        resumed.upload()
        return str(uploader.url)

    state = (await acme.get(await asyncio.to_thread(by_a_client))).json()
    assert (state["received"], state["bytes"], state["name"]) == (len(CONTENT), len(CONTENT), "Zählung.pdf")
    document = (await acme.get(f"/api/files/{state['file_id']}")).json()
    assert document["sha256"] == hashlib.sha256(CONTENT).hexdigest() and document["pages"] == 3
    assert (await acme.get(f"/api/files/{state['file_id']}/content")).content == CONTENT


async def test_the_protocol_describes_itself(acme: httpx.AsyncClient) -> None:
    answer = await acme.options("/api/uploads")
    assert answer.status_code == 204 and answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,expiration,checksum,termination"
    assert "sha1" in answer.headers["tus-checksum-algorithm"] and int(answer.headers["tus-max-size"]) > 0


async def test_what_came_before_the_connection_broke_counts(
    acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> None:
    monkeypatch.setattr(resumable, "WRITE_BYTES", 1000)
    at, scratch = await begun(acme), Path(settings_env["OFFLOAD_DATA_DIR"]) / "uploads"

    async def breaking() -> AsyncIterator[bytes]:
        yield CONTENT[:9000]
        # What lies in the server's socket when the connection breaks is lost with it.
        await wait_until_async(lambda: [path for path in scratch.glob("*.part") if path.stat().st_size == 9000])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await sent(acme, at, 0, breaking())

    async def counted() -> bool:
        return await offset(acme, at) == 9000

    await wait_until_async(counted)
    answer = await sent(acme, at, 9000, CONTENT[9000:])
    assert answer.status_code == 204 and int(answer.headers["upload-offset"]) == len(CONTENT)
    file_id = answer.headers["offload-file-id"]
    assert (await acme.get(f"/api/files/{file_id}/content")).content == CONTENT
    head = await acme.head(at, headers=TUS)
    assert (head.headers["offload-file-id"], head.headers["cache-control"]) == (file_id, "no-store")


async def test_a_long_request_counts_piece_by_piece(
    acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> None:
    monkeypatch.setattr(resumable, "PIECE_BYTES", 4000)
    monkeypatch.setattr(resumable, "WRITE_BYTES", 1000)
    at, arrived, go_on = await begun(acme), asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        for start in range(0, 12_000, 2000):
            yield CONTENT[start : start + 2000]
        arrived.set()
        await go_on.wait()
        yield CONTENT[12_000:]

    sending = asyncio.create_task(sent(acme, at, 0, halting()))
    await arrived.wait()

    async def counted() -> bool:
        return await offset(acme, at) >= 8000

    await wait_until_async(counted)
    go_on.set()
    answer = await sending
    assert answer.status_code == 204
    assert (await acme.get(f"/api/files/{answer.headers['offload-file-id']}/content")).content == CONTENT
    data_dir = Path(settings_env["OFFLOAD_DATA_DIR"])
    assert everything_below(data_dir / "uploads") == [] == everything_below(data_dir / "files" / "uploads")


async def test_of_two_requests_for_one_offset_one_wins(acme: httpx.AsyncClient) -> None:
    at = await begun(acme)
    answers = await asyncio.gather(sent(acme, at, 0, CONTENT[:7000]), sent(acme, at, 0, b"%PDF-" + b"y" * 6995))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert await offset(acme, at) == 7000


async def test_other_bytes_than_announced_are_refused_and_nothing_is_lost(acme: httpx.AsyncClient) -> None:
    at = await begun(acme)
    assert (await sent(acme, at, 0, CONTENT[:5000])).status_code == 204
    sum_of = encoded(hashlib.sha1(CONTENT[5000:]).digest())
    wrong = await sent(acme, at, 5000, CONTENT[5000:-1] + b"?", Upload_Checksum=f"sha1 {sum_of}")
    assert wrong.status_code == 460 and "send them again" in wrong.json()["detail"]
    assert wrong.headers["tus-resumable"] == "1.0.0"
    for elsewhere in (0, 4999, 5001):
        conflict = await sent(acme, at, elsewhere, b"x")
        assert conflict.status_code == 409 and "continues at byte 5000" in conflict.json()["detail"]
    assert await offset(acme, at) == 5000
    right = await sent(acme, at, 5000, CONTENT[5000:], Upload_Checksum=f"sha1 {sum_of}")
    assert right.status_code == 204
    assert (await acme.get(f"/api/files/{right.headers['offload-file-id']}/content")).content == CONTENT
    # A repetition after a lost answer changes nothing.
    again = await sent(acme, at, len(CONTENT), b"")
    assert (again.status_code, again.headers["offload-file-id"]) == (204, right.headers["offload-file-id"])


@pytest.mark.parametrize(
    ("headers", "code", "sentence"),
    [
        ({"Tus-Resumable": "0.2"}, 412, "Send Tus-Resumable: 1.0.0"),
        ({"Content-Type": "text/plain"}, 415, "application/offset+octet-stream"),
        ({"Upload-Offset": "minus one"}, 400, "Upload-Offset is a number of bytes."),
        ({"Upload-Checksum": "rot13 abc"}, 400, "there are sha1, sha256, md5"),
        ({"Upload-Checksum": "sha1 !!"}, 400, "not the base64 of a sha1 digest"),
    ],
)
async def test_a_piece_that_is_sent_wrongly_is_a_sentence(
    acme: httpx.AsyncClient, headers: dict[str, str], code: int, sentence: str
) -> None:
    at = await begun(acme)
    answer = await acme.patch(at, content=CONTENT, headers=PIECE | {"Upload-Offset": "0"} | headers)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (code, True), answer.text
    assert await offset(acme, at) == 0


@pytest.mark.parametrize(
    ("headers", "code", "sentence"),
    [
        ({"Upload-Length": "0"}, 400, "unnamed is empty."),
        ({}, 400, "The header Upload-Length is missing."),
        ({"Upload-Length": "12.5"}, 400, "Upload-Length is a number of bytes."),
        ({"Upload-Length": "999999999999"}, 413, "is too large: the limit is"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename ???"}, 400, "filename is not base64 of a UTF-8 text."),
        ({"Upload-Length": "5", "Upload-Metadata": f"filename {encoded('a' + chr(0))}"}, 400, "holds a NUL"),
        ({"Upload-Length": "5", "Upload-Metadata": f"filename {encoded('a' * 5000)}"}, 400, "longer than 4,096 bytes"),
    ],
)
async def test_an_upload_that_cannot_begin_is_a_sentence(
    acme: httpx.AsyncClient, headers: dict[str, str], code: int, sentence: str
) -> None:
    answer = await acme.post("/api/uploads", headers=TUS | headers)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (code, True), answer.text


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (b"plain text, " * 200, 415, "scan.pdf is a text file, which is not read here"),
        (b"tiny", 415, "scan.pdf is a text file, which is not read here"),
        (pdf(4)[:600], 400, "scan.pdf is damaged or cut short"),
        (many_pages(5001), 413, "scan.pdf has 5,001 pages: the limit is 5,000."),
    ],
)
async def test_what_is_no_document_is_refused_and_removed(
    acme: httpx.AsyncClient, settings_env: dict[str, str], content: bytes, code: int, sentence: str
) -> None:
    at = await begun(acme, len(content))
    half = len(content) // 2
    answer = await sent(acme, at, 0, content[:half])
    if answer.status_code == 204:
        answer = await sent(acme, at, half, content[half:])
    assert (answer.status_code, sentence in answer.json()["detail"]) == (code, True), answer.text
    assert (await acme.head(at, headers=TUS)).status_code == 404
    data_dir = Path(settings_env["OFFLOAD_DATA_DIR"])
    assert everything_below(data_dir / "files") == [] == everything_below(data_dir / "uploads")


async def test_more_than_was_announced_is_refused(acme: httpx.AsyncClient) -> None:
    at = await begun(acme, 100)
    answer = await sent(acme, at, 0, CONTENT)
    assert (answer.status_code, answer.json()["detail"]) == (400, "More bytes came than the 100 announced.")


async def test_another_owners_upload_does_not_exist(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    at = await begun(acme)
    for call in (
        globex.head(at, headers=TUS),
        globex.delete(at, headers=TUS),
        sent(globex, at, 0, b"x"),
        globex.get(at),
    ):
        assert (await call).status_code == 404
    assert await offset(acme, at) == 0


async def test_one_is_given_up_and_one_expires(
    acme: httpx.AsyncClient, served: Served, settings_env: dict[str, str]
) -> None:
    given_up, expired = await begun(acme), await begun(acme)
    await sent(acme, given_up, 0, CONTENT[:2000])
    assert (await acme.delete(given_up, headers=TUS)).status_code == 204
    assert (await acme.head(given_up, headers=TUS)).status_code == 404
    assert everything_below(Path(settings_env["OFFLOAD_DATA_DIR"]) / "files") == []
    async with served.services.database.writing() as session:
        await session.execute(update(Upload).values(expires_at=utc_now() - timedelta(seconds=1)))
    answer = await sent(acme, expired, 0, CONTENT)
    assert answer.status_code == 410 and "begin it again" in answer.json()["detail"]


async def test_an_owner_has_so_many_unfinished_ones_at_most(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "UNFINISHED_MAX", 2)
    await begun(acme), await begun(acme)
    answer = await acme.post("/api/uploads", headers=TUS | {"Upload-Length": "9"})
    assert (answer.status_code, answer.json()["detail"]) == (
        429,
        "2 uploads are unfinished: finish some, or delete them.",
    )
    await begun(globex)


async def test_a_proxy_that_lets_only_post_through(acme: httpx.AsyncClient) -> None:
    at = await begun(acme)
    headers = PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = await acme.post(at, content=CONTENT, headers=headers)
    assert answer.status_code == 204 and answer.headers["offload-file-id"]
    assert (await acme.post(at, headers=TUS)).status_code == 405
