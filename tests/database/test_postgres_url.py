"""Parameters of a PostgreSQL URL: libpq's and the driver's, and a sentence for what is neither."""

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from service.database.postgres_url import BadDatabaseUrl, asyncpg_arguments, split_url
from service.database.start import opened_database, start_sentence

BASE = "postgresql+asyncpg://u:secret@localhost:5432/d"


@pytest.mark.parametrize(
    ("query", "dsn"),
    [
        ("sslmode=require", "sslmode=require"),
        ("sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem&sslmode=verify-full"),
        ("ssl=verify-ca&sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem&sslmode=verify-ca"),
    ],
)
def test_parameters_of_libpq_go_to_the_drivers_own_address(query: str, dsn: str) -> None:
    url, arguments = split_url(make_url(f"{BASE}?{query}&prepared_statement_cache_size=0"))
    assert arguments["dsn"] == f"postgresql:///?{dsn}"
    assert dict(url.query) == {"prepared_statement_cache_size": "0"}


def test_what_the_driver_knows_stays_and_goes_before_our_own() -> None:
    url, arguments = split_url(make_url(f"{BASE}?ssl=require&timeout=3"))
    assert dict(url.query) == {"ssl": "require", "timeout": "3"}
    assert "timeout" not in arguments and "dsn" not in arguments and arguments["command_timeout"] > 0


def test_every_argument_is_one_that_the_driver_takes() -> None:
    found = asyncpg_arguments(make_url(f"{BASE}?sslmode=disable&prepared_statement_cache_size=0"))
    assert found["user"] == "u" and found["password"] == "secret" and found["dsn"] == "postgresql:///?sslmode=disable"
    assert set(found) <= {"user", "password", "host", "port", "database", "dsn", "timeout", "command_timeout"}


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(BadDatabaseUrl, match="'sslrootcrt' that is not known"):
        split_url(make_url(f"{BASE}?sslrootcrt=/ca.pem"))


async def sentence_of(url: str) -> str:
    with pytest.raises(SystemExit) as stop:
        async with opened_database(url):
            pass
    return str(stop.value)


async def test_what_is_wrong_with_the_server_is_one_sentence(postgres_url: str, tmp_path: Path) -> None:
    assert "there is no database of this name" in await sentence_of(postgres_url.replace("/test_", "/missing_"))
    assert "is out of reach (connection refused)" in await sentence_of("postgresql+asyncpg://u:secret@127.0.0.1:1/d")
    message = await sentence_of(f"postgresql+asyncpg://u:secret@127.0.0.1:1/d?sslrootcert={tmp_path}/none.pem")
    assert "none.pem" in message and "secret" not in message


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def answering_tls(cert: Path, key: Path) -> tuple[asyncio.Server, int]:
    """A server that agrees to TLS as PostgreSQL does, and says no more."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_certificate_that_nobody_trusts_is_one_sentence(tmp_path: Path) -> None:
    (cert, key), (other, _) = certificate(tmp_path, "server"), certificate(tmp_path, "other")
    server, port = await answering_tls(cert, key)
    async with server:
        message = await sentence_of(f"postgresql+asyncpg://u:secret@localhost:{port}/d?sslrootcert={other}")
    assert "certificate is not accepted" in message and "sslrootcert" in message and "secret" not in message


def test_a_refused_password_is_one_sentence() -> None:
    found = start_sentence(asyncpg.InvalidPasswordError("password authentication failed"))
    assert found == "OFFLOAD_DATABASE_URL: the database refuses this user or password."


def test_the_web_application_says_it_in_one_line(settings_env: dict[str, Any]) -> None:
    import os

    environment = (
        os.environ | settings_env | {"OFFLOAD_DATABASE_URL": "postgresql+asyncpg://u:secret@127.0.0.1:1/d?sslx=1"}
    )
    command = [sys.executable, "-m", "uvicorn", "--factory", "dashboard.app:create_app", "--port", "0"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and "Traceback" not in ended.stderr and "secret" not in ended.stderr
    assert ended.stderr.strip().splitlines()[-1].startswith("OFFLOAD_DATABASE_URL has a parameter 'sslx'")
