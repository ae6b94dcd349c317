"""Keys and owners, on every route there is."""

import base64
import json
import re

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from service.api.auth import owner_of
from tests.api.conftest import ACME, Served

OPEN = ("/health", "/workers/health", "/workers/wanted", "/metrics", "/schema", "/docs/errors", "/unsubscribe")
"""What asks for no API key: probes, counts, the reference, the pages of its errors, and a mail's link that is signed itself."""


def test_a_key_leads_to_its_owner_and_nothing_else_does() -> None:
    keys = {"secret-one": "acme", "secret-two": "globex", "secret-three": "acme"}
    assert [owner_of(keys, secret) for secret in keys] == ["acme", "globex", "acme"]
    for wrong in ("", "secret", "secret-one ", "SECRET-ONE", "acme", "sécret-one", "\udc80"):
        assert owner_of(keys, wrong) is None


async def test_every_route_but_the_open_ones_asks_for_a_key(app: Litestar, anonymous: httpx.AsyncClient) -> None:
    requested = 0
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith(OPEN):
            path = re.sub(r"\{[^}]*\}", "1", route.path_format)
            for method in route.methods - {"OPTIONS"}:
                answer = await anonymous.request(method, path)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == 'Bearer realm="offload"'
                if method != "HEAD":
                    assert answer.json()["status_code"] == 401
                requested += 1
    assert requested >= 12


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer wrong-secret-key",
        "Bearer",
        ACME,
        f"Token {ACME}",
        f"Bearer {ACME}x",
        f"Bearer {ACME} {ACME}",
        "Basic " + base64.b64encode(b"admin:admin-password-1").decode(),
        "Basic " + base64.b64encode(f"acme:{ACME}".encode()).decode(),
        "Bearer admin-password-1",
    ],
)
async def test_nothing_else_is_a_key_not_even_a_dashboard_password(
    anonymous: httpx.AsyncClient, authorization: str
) -> None:
    answer = await anonymous.get("/api/jobs", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "Send a valid API key as `Authorization: Bearer <key>`.",
    )


async def test_the_scheme_is_read_in_any_case(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/jobs", headers={"Authorization": f"bearer  {ACME}"})).status_code == 200


async def test_a_key_in_the_address_opens_no_http_route(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/jobs", params={"token": ACME})).status_code == 401


async def test_no_page_from_elsewhere_is_invited(served: Served, acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/jobs", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_errors_of_the_router_have_the_same_shape(acme: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    missing = await anonymous.get("/api/no/such/thing")
    assert missing.json() == {"status_code": 404, "detail": "There is nothing at /api/no/such/thing.", "errors": []}
    refused = await acme.put("/api/jobs/some-job")
    assert refused.json() == {"status_code": 405, "detail": "PUT is not allowed here.", "errors": []}
    assert set(refused.headers["allow"].split(", ")) >= {"GET", "DELETE"}


async def test_an_error_of_ours_is_logged_and_not_shown(
    acme: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(served.services.files, "metadata", broken)
    answer = await acme.get("/api/files/file-" + "0" * 32)
    assert answer.status_code == 500
    assert answer.json()["detail"] == "Something went wrong on our side; the error has been logged."
    assert "secret inside" not in answer.text
    assert "the secret inside" in capsys.readouterr().out


async def test_the_schema_names_every_route_and_needs_nothing_from_elsewhere(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/schema/openapi.json")).json()
    assert {"/api/files", "/api/jobs/pdf-ocr", "/api/jobs/{job_id}/status", "/workers/health"} <= set(document["paths"])
    body = document["components"]["schemas"]["PdfOcrRequest"]
    assert {"file_id", "priority", "schedule_at"} <= set(body["properties"])
    assert body["additionalProperties"] is False
    page = await anonymous.get("/schema", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "pdf-ocr" in page.text and "http://" not in page.text and "https://" not in page.text
    assert "<script" not in page.text
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
    assert json.dumps(document).count("Traceback") == 0
