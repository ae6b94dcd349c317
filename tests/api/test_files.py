"""Documents over HTTP."""

import asyncio
import hashlib
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.documents.media_types import READ_HERE
from tests.api.conftest import ACME, Served
from tests.documents.samples import everything_below, many_pages, pdf, picture
from tests.waiting import wait_until_async


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "scan.pdf") -> httpx.Response:
    return await client.post("/api/files", files={"file": (name, content)})


async def test_a_document_goes_in_is_described_comes_out_and_is_deleted(
    acme: httpx.AsyncClient, settings_env: dict[str, str]
) -> None:
    content = pdf(3)
    answer = await upload(acme, content, "Überweisung.pdf")
    assert answer.status_code == 201
    file_id = answer.json()["file_id"]
    assert answer.json() == {
        "file_id": file_id,
        "name": "Überweisung.pdf",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "media_type": "application/pdf",
        "pages": 3,
    }
    assert (await acme.get(f"/api/files/{file_id}")).json() == answer.json()
    got = await acme.get(f"/api/files/{file_id}/content")
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, content, "application/pdf")
    gone = await acme.delete(f"/api/files/{file_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert everything_below(Path(settings_env["OFFLOAD_DATA_DIR"]) / "files") == []
    for path in (f"/api/files/{file_id}", f"/api/files/{file_id}/content"):
        assert (await acme.get(path)).status_code == 404


async def test_another_owners_file_does_not_exist(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    file_id = (await upload(acme, pdf())).json()["file_id"]
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        theirs = await globex.request(method, f"/api/files/{file_id}{path}")
        unknown = await globex.request(method, f"/api/files/file-{'0' * 32}{path}")
        assert theirs.status_code == unknown.status_code == 404
        assert theirs.json()["detail"].replace(file_id, "X") == unknown.json()["detail"].replace(
            "file-" + "0" * 32, "X"
        )
    assert (await acme.get(f"/api/files/{file_id}")).status_code == 200


@pytest.mark.parametrize(
    ("content", "status_code", "sentence"),
    [
        (b"", 400, "Scan.pdf is empty."),
        (b"plain text", 415, f"Scan.pdf is a text file, which is not read here; send {READ_HERE}."),
        (pdf(4)[:200], 400, "Scan.pdf is damaged or cut short: it begins like a PDF but cannot be opened as one."),
        (many_pages(5001), 413, "Scan.pdf has 5,001 pages: the limit is 5,000."),
    ],
)
async def test_a_refusal_is_a_sentence_that_names_the_file(
    acme: httpx.AsyncClient, settings_env: dict[str, str], content: bytes, status_code: int, sentence: str
) -> None:
    answer = await upload(acme, content, "../../Scan.pdf")
    assert answer.json() == {
        "status_code": status_code,
        "detail": sentence,
        "errors": [{"field": "file", "message": sentence}],
    }
    data_dir = Path(settings_env["OFFLOAD_DATA_DIR"])
    assert everything_below(data_dir / "files") == [] == everything_below(data_dir / "uploads")


async def test_an_encrypted_pdf_is_taken_with_its_pages_unknown(acme: httpx.AsyncClient) -> None:
    answer = await upload(acme, pdf(2, password="secret"))
    assert (answer.status_code, answer.json()["pages"]) == (201, None)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (pdf(), {"Content-Type": "application/pdf"}),
        (b"", {}),
        (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"x" * 100_000, {"Content-Type": "multipart/form-data"}),
    ],
)
async def test_what_is_no_upload_form_is_a_400(
    acme: httpx.AsyncClient, content: bytes, headers: dict[str, str]
) -> None:
    answer = await acme.post("/api/files", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "file"


@pytest.mark.parametrize(
    ("key", "size", "code", "sentence"),
    [
        (ACME, 30_000_000, 413, b"too large: the limit is 1,000,000 bytes"),
        (ACME, 1_500_000, 413, b"too large: the limit is 1,000,000 bytes"),
        ("wrong-secret-key", 30_000_000, 401, b"valid API key"),
    ],
)
def test_a_plain_client_that_is_refused_reads_the_sentence(
    served_apart: str, key: str, size: int, code: int, sentence: bytes
) -> None:
    """urllib sends all of its body, asking to close, before it reads: the server must hear it out to be heard."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.pdf"\r\n\r\n%PDF-'
        + b"0" * size
        + b"\r\n--x--\r\n"
    )
    request = urllib.request.Request(
        f"{served_apart}/api/files",
        data=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == code
    assert sentence in refused.value.read()


async def test_a_body_without_a_length_is_counted_while_it_arrives(
    acme: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-'
        for _ in range(60):
            yield b"0" * 100_000
        yield b"\r\n--x--\r\n"

    small = served.services.settings.model_copy(update={"max_upload_bytes": 2_000_000})
    monkeypatch.setattr(served.services.files, "_settings", small)
    answer = await acme.post(
        "/api/files", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (413, "a.pdf is too large: the limit is 2,000,000 bytes.")


@pytest.mark.parametrize(
    ("wanted", "status_code", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=5-", 206, 5, -1),
        ("bytes=-7", 206, -7, -1),
        ("bytes=-99999999", 206, 0, -1),
        ("bytes=10-99999999", 206, 10, -1),
        ("bytes=3-3", 206, 3, 3),
        ("bytes=0-1,4-5", 200, 0, -1),
        ("bytes=9-5", 200, 0, -1),
        ("bytes=-", 200, 0, -1),
        ("bytes=" + "9" * 5000 + "-", 200, 0, -1),
        ("pages=1-2", 200, 0, -1),
        ("bytes=99999999-", 416, None, None),
        ("bytes=-0", 416, None, None),
    ],
)
async def test_ranges(
    acme: httpx.AsyncClient, wanted: str, status_code: int, first: int | None, last: int | None
) -> None:
    content = picture("PNG")
    file_id = (await upload(acme, content, "a.png")).json()["file_id"]
    answer = await acme.get(f"/api/files/{file_id}/content", headers={"Range": wanted})
    assert answer.status_code == status_code
    size = len(content)
    if first is None or last is None:
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.json()["status_code"] == 416
        return
    start, end = first % size, last % size
    assert answer.content == content[start : end + 1]
    assert int(answer.headers["content-length"]) == end + 1 - start
    assert answer.headers.get("content-range") == (f"bytes {start}-{end}/{size}" if status_code == 206 else None)
    assert answer.headers["accept-ranges"] == "bytes"


async def test_versions_and_a_head(acme: httpx.AsyncClient) -> None:
    content = pdf()
    path = f"/api/files/{(await upload(acme, content)).json()['file_id']}/content"
    head = await acme.head(path)
    assert (head.status_code, head.content, int(head.headers["content-length"])) == (200, b"", len(content))
    etag = head.headers["etag"]
    assert (await acme.get(path, headers={"If-None-Match": f'"other", {etag}'})).status_code == 304
    assert (await acme.get(path, headers={"If-Range": etag, "Range": "bytes=0-1"})).status_code == 206
    assert (await acme.get(path, headers={"If-Range": '"other"', "Range": "bytes=0-1"})).content == content


@pytest.mark.parametrize(
    ("sent", "disposition"),
    [
        ("a b.pdf", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"),
        ("报告.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf"),
        ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
    ],
)
async def test_a_download_is_never_run_by_a_browser(acme: httpx.AsyncClient, sent: str, disposition: str) -> None:
    file_id = (await upload(acme, pdf(), sent)).json()["file_id"]
    headers = (await acme.get(f"/api/files/{file_id}/content")).headers
    assert headers["content-disposition"] == disposition
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


async def test_a_sender_that_hangs_up_leaves_nothing(served: Served, settings_env: dict[str, str]) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ACME}\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-'.encode()
        + b"0" * 3_000_000
    )
    await writer.drain()
    uploads = Path(settings_env["OFFLOAD_DATA_DIR"]) / "uploads"
    await wait_until_async(lambda: everything_below(uploads))
    writer.close()
    await wait_until_async(lambda: not everything_below(uploads))
    assert everything_below(uploads.with_name("files")) == []
