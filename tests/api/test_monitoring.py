"""Hosts and counts are read from private networks, and from elsewhere with a credential."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest

from service.api.monitoring import within
from settings import Settings
from tests.api.conftest import ACME, Served

MONITORED = ("/workers/health", "/workers/wanted?queue=thumbnails", "/metrics")
TOKEN = "a token for the scraper"


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A client on the internet."""
    elsewhere = httpx.ASGITransport(served.app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://offload.example") as client:
        yield client


@pytest.mark.parametrize("path", MONITORED)
async def test_a_stranger_reads_none_of_it(
    stranger: httpx.AsyncClient, anonymous: httpx.AsyncClient, path: str
) -> None:
    refused = await stranger.get(path)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="offload"')
    assert (await anonymous.get(path)).status_code in (200, 503)
    assert (await stranger.get("/health/live")).status_code == (await stranger.get("/health/ready")).status_code == 200


async def test_a_key_with_operate_and_the_token_open_it_from_anywhere(
    stranger: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, reading = await served.services.api_keys.create("acme", "reads", created_by="a test", scopes=["read"])
    settings = served.services.settings.model_copy(update={"monitoring_token": TOKEN})
    monkeypatch.setattr(served.services, "settings", settings)
    expected = {ACME: 200, TOKEN: 200, reading: 403, "a wrong key": 401}
    for secret, status_code in expected.items():
        answer = await stranger.get("/metrics", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == status_code, secret


def test_networks(settings_env: dict[str, str]) -> None:
    settings = Settings()
    for inside in ("127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.0.1", "fd00::1", ""):
        assert within(settings, inside), inside
    for outside in ("203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9", "testclient"):
        assert not within(settings, outside), outside
    assert Settings(monitoring_networks="203.0.113.0/24, ::1").monitoring_networks == (  # type: ignore[arg-type]  # parsed as from the environment
        ip_network("203.0.113.0/24"), ip_network("::1/128"),
    )  # fmt: skip
