"""Receivers, and the parts of an installation that permits loopback."""

from collections.abc import AsyncIterator

import pytest

from service.services import Services, open_services
from settings import load_settings
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def services(settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """No duty of maintenance runs: a test does what it wants done."""
    monkeypatch.setenv("OFFLOAD_WEBHOOKS_ALLOW_PRIVATE", "true")
    monkeypatch.setattr("service.engine.maintenance.Maintenance.run_forever", _rest)
    load_settings.cache_clear()
    async with open_services(load_settings()) as opened:
        yield opened


async def _rest(self: object) -> None:
    return
