"""JSON made to harm, to every operation that takes some: an answer in one sentence, and the server goes on."""

import re
from collections.abc import Iterator
from typing import Any

import httpx

from tests.api.conftest import Served

DEEP = 100_000

BODIES = {
    "arrays within arrays": b"[" * DEEP + b"]" * DEEP,
    "objects within objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a field of arrays within arrays": b'{"query_params":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "arrays that never end": b"[" * DEEP,
    "NaN": b'{"anything": NaN}',
    "Infinity": b'{"anything": -Infinity}',
    "a number beyond all": b'{"anything": 1e999}',
    "a number of 100,000 digits": b'{"anything": ' + b"9" * DEEP + b"}",
    "a field twice": b'{"anything": 1, "anything": 2}',
    "half a character": b'{"anything": "\\ud800"}',
    "half a character in a name": b'{"\\udfff": 1}',
    "bytes that are no text": b'{"anything": "\xff\xfe"}',
    "UTF-16": '{"anything": 1}'.encode("utf-16"),
    "a mark before it": b"\xef\xbb\xbf{}",
    "nothing": b"",
    "a million names": b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}",
}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and address of each operation that takes JSON."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                numbers = any(one["schema"].get("type") == "integer" for one in operation.get("parameters", []))
                yield method, re.sub(r"{\w+}", "1", path) if numbers else path.replace("{", "").replace("}", "")


SENTENCES = {
    "arrays within arrays": "The body has lists or objects within each other, too many to be read.",
    "a field of arrays within arrays": "The body has lists or objects within each other, too many to be read.",
    "a number beyond all": "The body has a number that is out of range.",
    "a number of 100,000 digits": "The body has a number that is out of range.",
    "nothing": "The body is empty: send a JSON object.",
}

QUERIES = ("(" * 3_000, "-" * 3_000 + "a:b", "state:" * 1_000, 'error:"' + "x" * 3_000, "created:>9e999d", "took:>NaNs")


async def test_every_operation_answers_in_a_sentence(acme: httpx.AsyncClient, served: Served) -> None:
    document = (await acme.get("/schema/openapi.json")).json()
    taking = list(operations(document))
    assert len(taking) > 15
    odd = []
    for kind, body in BODIES.items():
        for method, path in taking:
            answer = await acme.request(method, path, content=body, headers={"Content-Type": "application/json"})
            detail = str(answer.json().get("detail", "")) if answer.content else ""
            fits = answer.status_code < 400 or (detail.endswith(".") and len(detail) < 300)
            if answer.status_code >= 500 or not fits or (kind in SENTENCES and detail not in (SENTENCES[kind], "")):
                odd.append((kind, method, path, answer.status_code, answer.text[:300]))
    assert [one for one in odd if not one[4].startswith('{"status_code":404')] == []


async def test_a_query_of_jobs(acme: httpx.AsyncClient) -> None:
    for words in QUERIES:
        answer = await acme.get("/api/jobs", params={"q": words})
        assert answer.status_code == 400 and answer.json()["detail"].endswith("."), words
