"""Pages of other websites call the API where an operator permits it, and nowhere else."""

from pathlib import Path

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from service.api import cross_origin
from settings import Settings

PORTAL = "https://portal.example"


@get("/api/thing")
async def thing() -> dict[str, int]:
    return {"n": 1}


def client(folder: Path, *origins: str) -> TestClient[Litestar]:
    return TestClient(Litestar([thing], cors_config=cross_origin(Settings(data_dir=folder, cors_origins=origins))))


def test_nowhere_by_default(tmp_path: Path) -> None:
    with client(tmp_path) as api:
        answer = api.get("/api/thing", headers={"Origin": PORTAL})
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers


def test_where_an_operator_permits_it(tmp_path: Path) -> None:
    requested = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    with client(tmp_path, PORTAL) as api:
        before = api.options("/api/thing", headers={"Origin": PORTAL, **requested})
        answer = api.get("/api/thing", headers={"Origin": PORTAL})
        others = [api.get("/api/thing", headers={"Origin": one}) for one in ("https://portal.example.evil", "null")]
        refused = api.options("/api/thing", headers={"Origin": "https://evil.example", **requested})
    assert before.status_code == 204 and before.headers["access-control-allow-origin"] == PORTAL
    assert answer.headers["access-control-allow-origin"] == PORTAL and answer.headers["vary"] == "Origin"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert all("access-control-allow-origin" not in one.headers for one in others)
    assert refused.status_code == 400 and "access-control-allow-origin" not in refused.headers


def test_the_browsers_own_credentials_are_never_accepted(tmp_path: Path) -> None:
    with client(tmp_path, "*") as api:
        answer = api.get("/api/thing", headers={"Origin": PORTAL})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("given", "origins"),
    [("https://a.example, HTTP://localhost:3000", ("https://a.example", "http://localhost:3000")), ("*", ("*",))],
)
def test_origins_as_they_are_given(monkeypatch: pytest.MonkeyPatch, given: str, origins: tuple[str, ...]) -> None:
    monkeypatch.setenv("OFFLOAD_CORS_ORIGINS", given)
    assert Settings().cors_origins == origins


@pytest.mark.parametrize(
    "given", ["portal.example", "https://a.example/", "https://*.example", "*,https://a.example", ",", "null"]
)
def test_origins_that_are_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("OFFLOAD_CORS_ORIGINS", given)
    with pytest.raises(ValueError, match="cors_origins"):
        Settings()
