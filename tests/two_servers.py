"""The thumbnails queue on a server of its own, which a test may kill, in addition to the session's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from settings.queues import Queue
from tasks.sdk import Payload, Run, job
from tests.engine import probe

OWN = "OFFLOAD_QUEUES__THUMBNAILS__REDIS_URL"
AWAY = "the server of the queue thumbnails does not answer; the other queues go on"


class Export(Payload):
    """Stands for work of a queue on the main server."""

    then: int = 0


@job(queue=Queue.CSV_EXPORT, public=False)
async def probe_export(payload: Export, run: Run) -> int:
    """Begins as many jobs of the other server's queue as asked for."""
    for number in range(payload.then):
        await run.then(probe.probe_echo, probe.Echo(word=f"after-{number}"))
    return payload.then


@pytest.fixture
def second(tmp_path: Path, settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedValkey]:
    """The thumbnails queue's own server."""
    with EmbeddedValkey(tmp_path / "second-valkey") as server:
        settings_env[OWN] = server.url
        monkeypatch.setenv(OWN, server.url)
        load_settings.cache_clear()
        yield server
