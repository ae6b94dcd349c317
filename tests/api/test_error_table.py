"""What a client is told while a part is away or full: 503 or 507, a sentence, and when to try again."""

import asyncio
import errno
from pathlib import Path

import httpx
import pytest
from obstore.exceptions import GenericError
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from service.api.error_table import explained
from service.engine.store import NoSuchJob, TooManyQueued
from service.lib.encryption import KeyMissing
from tasks.sdk.errors import Refused, Unreachable
from tests.api.conftest import Served
from tests.databases import PostgresServer

TEMPLATE = {"name": "a", "subject": "s", "html": "h", "text": "t"}


@pytest.mark.parametrize(
    ("error", "status_code", "words"),
    [
        (PoolExhausted(), 503, "The database is out of reach (all connections are taken); try again."),
        (OperationalError("SELECT 1", {}, Exception("x")), 503, "A part of the service is away"),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "The disk of this machine is full; try again."),
        (Unreachable("storage", "no answer in time"), 503, "The file storage is out of reach (no answer in time)"),
        (GenericError("Unable to copy data: No space left on device (os error 28)"), 507, "file storage is full"),
        (GenericError("Generic S3 error: secret-bucket HTTP error: error sending request"), 503, "The file storage"),
        (RedisError("secret-host"), 503, "A part of the service is away"),
        (ConnectionRefusedError("secret-host"), 503, "A part of the service is away"),
        (TooManyQueued(1, 30), 429, ""),
        (NoSuchJob("job-1"), 404, "job-1"),
        (Refused("It is so", field="x"), 400, "It is so."),
        (KeyMissing("The stored file x", "a"), 500, "The stored file x is encrypted with the key 'a', which is not in"),
        (KeyError("secret"), 500, "Something went wrong on our side"),
    ],
)
def test_each_error_has_its_status_and_its_sentence(error: Exception, status_code: int, words: str) -> None:
    found = explained(error)
    assert found.status_code == status_code and words in found.sentence
    assert "secret" not in found.sentence and found.sentence.endswith(".")
    assert ("Retry-After" in found.headers) == (status_code in (429, 503, 507))


async def tried(client: httpx.AsyncClient, png: bytes, dataset: str = "users") -> list[httpx.Response]:
    """An upload, an export and a template: what needs the database, and the storage."""
    return [
        await client.post("/api/files", files={"file": ("a.png", png)}),
        await client.post("/api/jobs/csv-export", json={"dataset": dataset}),
        await client.post("/api/templates", json=TEMPLATE),
    ]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True, scope="session")
async def test_a_database_that_is_gone_is_a_503_and_then_all_is_well(
    acme: httpx.AsyncClient, served: Served, postgres_server: PostgresServer, png: bytes
) -> None:
    assert [answer.status_code for answer in await tried(acme, png)] == [201, 202, 201]
    name = served.services.database.url.database
    hidden = f"{name}_hidden"
    away = [
        f"ALTER DATABASE {name} CONNECTION LIMIT 0",
    ]
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    await asyncio.to_thread(postgres_server.execute, *away, end, f"ALTER DATABASE {name} RENAME TO {hidden}")
    try:
        # Another dataset: how many rows the first one has is known for two seconds.
        answers = await tried(acme, png, "documents")
    finally:
        await asyncio.to_thread(
            postgres_server.execute,
            f"ALTER DATABASE {hidden} RENAME TO {name}",
            f"ALTER DATABASE {name} CONNECTION LIMIT -1",
        )
    for answer in answers:
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        assert answer.json()["detail"].startswith(("The database", "A part of the service"))
    assert [answer.status_code for answer in await tried(acme, png)] == [201, 202, 201]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
async def test_a_storage_that_cannot_be_written_leaves_nothing(
    acme: httpx.AsyncClient, served: Served, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(path: str, source: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(served.services.storage, "move_in", full)
    answer = await acme.post("/api/files", files={"file": ("a.png", png)})
    assert answer.status_code == 507 and answer.headers["Retry-After"] == "60"
    assert answer.json()["detail"] == "The disk of this machine is full; try again."
    assert await served.services.storage.list("documents") == []


@pytest.fixture
def png() -> bytes:
    """The smallest picture that is a document."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, "PNG")
    return file.getvalue()
