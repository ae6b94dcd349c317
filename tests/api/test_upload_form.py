"""Reading a multipart body piece by piece."""

from collections.abc import AsyncIterator

import pytest
from litestar.datastructures.headers import Headers

from service.api.upload_form import BadForm, open_upload_form
from tests.documents.samples import in_chunks

HEADERS = Headers({"content-type": "multipart/form-data; boundary=frontier"})


def part(disposition: str, body: bytes) -> bytes:
    return b"--frontier\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + body + b"\r\n"


END = b"--frontier--\r\n"


async def read(body: bytes, size: int, headers: Headers = HEADERS) -> tuple[str, dict[str, str], bytes]:
    form = await open_upload_form(headers, in_chunks(body, size))
    return form.name, form.fields, b"".join([chunk async for chunk in form.chunks()])


@pytest.mark.parametrize("size", [1, 7, 64, 65_536])
async def test_a_file_and_the_fields_before_it_whatever_the_chunks(size: int) -> None:
    content = b"\r\n--frontie" * 20 + bytes(range(256))
    body = part('name="token"', b"abc") + part('name="file"; filename="scan ü.pdf"', content)
    assert await read(body + part('name="later"', b"x") + END, size) == ("scan ü.pdf", {"token": "abc"}, content)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (END, "in a field named"),
        (b"", "malformed or cut short"),
        (b"no form at all", "malformed or cut short"),
        (part('name="other"; filename="a.pdf"', b"x") + END, 'not "other"'),
        (part('name="file"', b"x") + END, "holds text and not a file"),
        (part('name="file"; filename="a.pdf"', b"x"), "malformed or cut short"),
        (part('name="file"; filename="a"', b"x") + part('name="file"; filename="b"', b"y") + END, "one file at a time"),
        (part('name="a"', b"x" * 20_000) + END, "longer than 16384 bytes"),
        (part('name="a"', b"x") * 30 + END, "more than 20 parts"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(BadForm, match=sentence):
        await read(body, 1000)


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="])
async def test_another_content_type_is_refused(kind: str) -> None:
    with pytest.raises(BadForm, match="multipart/form-data"):
        await read(part('name="file"; filename="a.pdf"', b"x") + END, 1000, Headers({"content-type": kind}))


async def test_the_file_is_handed_on_before_the_body_has_ended() -> None:
    arrived = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal arrived
        yield part('name="file"; filename="a.pdf"', b"%PDF-")[:-2]
        while True:
            arrived += 1
            yield b"x" * 1000

    form = await open_upload_form(HEADERS, endless())
    chunks = form.chunks()
    assert [await anext(chunks) for _ in range(3)] == [b"%PDF-", b"x" * 1000, b"x" * 1000]
    assert arrived <= 3
