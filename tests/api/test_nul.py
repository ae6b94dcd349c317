"""A NUL in any text that the API takes is a 400 that names the field, whatever the database."""

import re
from typing import Any

import httpx
import pytest

from service.api.strict_json import decode_body
from tests.api.conftest import Served

NUL = "\0"

BODIES: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/templates", {"name": f"a{NUL}b", "subject": "s", "html": "h", "text": "t"}, "name"),
    ("POST", "/api/templates", {"name": "a", "subject": f"s{NUL}", "html": "h", "text": "t"}, "subject"),
    ("PUT", "/api/templates/template-1", {"name": "a", "subject": "s", "html": NUL, "text": "t"}, "html"),
    ("POST", "/api/jobs/csv-export", {"dataset": f"users{NUL}"}, "dataset"),
    (
        "POST",
        "/api/jobs/csv-export",
        {"dataset": "users", "query_params": {"email": ["a", NUL]}},
        "query_params.email[1]",
    ),
    ("POST", "/api/jobs/csv-export", {"dataset": "users", "query_params": {f"e{NUL}": 1}}, "query_params.e\\0"),
    ("POST", "/api/jobs/csv-export", {"dataset": "users", "columns": [f"id{NUL}"]}, "columns[0]"),
    ("POST", "/api/jobs/email-batch", {"segment": "all", "template_id": NUL}, "template_id"),
    ("POST", "/api/jobs/pdf-ocr", {"file_id": f"file-{NUL}"}, "file_id"),
    ("POST", "/api/jobs/thumbnails", {"document_ids": [NUL], "sizes": [150]}, "document_ids[0]"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BODIES)
async def test_a_body(acme: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], field: str) -> None:
    answer = await acme.request(method, path, json=body)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field and "NUL" in error["message"]


async def test_every_json_body_of_the_api(acme: httpx.AsyncClient, served: Served) -> None:
    """Every operation that takes a body, those that are added later too: each refuses one text with a NUL."""
    document = (await acme.get("/schema/openapi.json")).json()
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            numbers = [one["name"] for one in operation.get("parameters", []) if one["schema"].get("type") == "integer"]
            at = path.translate({ord(brace): None for brace in "{}"}) if not numbers else re.sub(r"{\w+}", "1", path)
            answer = await acme.request(method, at, json={"anything": NUL})
            assert answer.status_code == 400 and "NUL" in answer.json()["detail"], (method, path, answer.text)
            tried += 1
    assert tried >= 8


async def test_a_query(acme: httpx.AsyncClient) -> None:
    for query in ("type=a%00", "cursor=%00", "a%00=1"):
        answer = await acme.get(f"/api/jobs?{query}")
        assert answer.status_code == 400 and "NUL" in answer.json()["detail"], query


async def test_a_path_names_nothing(acme: httpx.AsyncClient) -> None:
    for path in ("files/%00", "templates/a%00", "jobs/%00/status", "documents/%00/thumbnails/150", "images/x%00/cover"):
        assert (await acme.get(f"/api/{path}")).status_code == 404, path
    assert (await acme.delete("/api/templates/a%00")).status_code == 404


async def test_a_form(acme: httpx.AsyncClient) -> None:
    for name, file_name in (("file", "a%00.pdf"), ("x", None)):
        disposition = f'form-data; name="{name}"' + (f"; filename*=UTF-8''{file_name}" if file_name else "")
        raw = f'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\na{NUL if name == "x" else ""}b\r\n--b\r\n'
        raw += f"Content-Disposition: {disposition}\r\n\r\ntext\r\n--b--\r\n"
        answer = await acme.post(
            "/api/files", content=raw.encode(), headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 400, answer.text
    raw = f'--b\r\nContent-Disposition: form-data; name="file"; filename="a{NUL}.pdf"\r\n\r\ntext\r\n--b--\r\n'
    answer = await acme.post(
        "/api/files", content=raw.encode(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 400, answer.text


async def test_a_header_of_which_something_is_kept(acme: httpx.AsyncClient) -> None:
    answer = await acme.post("/api/jobs/x/cancel", headers={"User-Agent": "offload-cli/1 (a%00b)"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "User-Agent")


def test_a_backslash_before_the_escape_is_no_nul() -> None:
    from service.api.templates import PreviewRequest, TemplateRequest

    assert decode_body(rb'{"user_id": 1}', PreviewRequest).user_id == 1
    text = rb'{"name": "\\u0000", "subject": "s", "html": "h", "text": "t"}'
    assert decode_body(text, TemplateRequest).name == "\\u0000"
