"""`offload relay`: moves jobs from the outbox table of an application's database to Offload, each once."""

import asyncio
import signal
import time
from typing import Any

import click
import httpx
from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.cli.client import CliError, server_options
from service.cli.outbox import TABLE, WAITING, Relay, first_line
from service.database.postgres_url import BadDatabaseUrl, split_url
from settings import load_settings


@click.command()
@click.option("--database-url", required=True, metavar="URL", help="The application's database; postgresql or sqlite.")
@click.option("--server", metavar="URL", help="Offload; by default the one of this installation.")
@click.option("--key", metavar="SECRET", help="API key; by default this installation's first.")
@click.option("--once", is_flag=True, help="End when no row waits any more.")
@click.option(
    "--status", is_flag=True, help="Only print how many rows wait and are parked; exit code 1 where some are."
)
@click.option(
    "--keep-days", type=click.IntRange(0, 3650), default=7, show_default=True, help="Keeps moved rows so long."
)
def relay(database_url: str, server: str | None, key: str | None, once: bool, status: bool, keep_days: int) -> None:
    """Move jobs from an application's outbox table to Offload until Ctrl-C or SIGTERM.

    A row that Offload refuses is parked with the reason in its column `parked`; set that to NULL to try it again.

    Example: offload relay --database-url postgresql://app@db/app --key "$OFFLOAD_KEY"
    """
    try:
        engine = _engine(database_url)
        if status:
            raise SystemExit(asyncio.run(_status(engine)))
        asyncio.run(_run(engine, server_options(load_settings(), server, key), keep_days, once))
    except (CliError, BadDatabaseUrl) as error:
        raise click.ClickException(str(error)) from None


def _engine(given: str) -> AsyncEngine:
    """An engine of one connection. Raises CliError for a URL that names no database it can use."""
    try:
        url = make_url(given)
    except ArgumentError:
        raise CliError("--database-url is not a database URL, such as postgresql://user@host/name.") from None
    drivers = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
    if url.get_backend_name() not in drivers:
        raise CliError(f"--database-url names {url.get_backend_name()}: the relay knows postgresql and sqlite.")
    url = url.set(drivername=drivers[url.get_backend_name()])
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        url, arguments = split_url(url)
    return create_async_engine(url, connect_args=arguments, pool_size=1, max_overflow=0, pool_pre_ping=True)


async def _run(engine: AsyncEngine, server: dict[str, Any], keep_days: int, once: bool) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        async with httpx.AsyncClient(**server) as http:
            await Relay(engine, http, keep_days).run(stopped, once=once)
    finally:
        await engine.dispose()


async def _status(engine: AsyncEngine) -> int:
    """Print the counts. Returns the exit code."""
    try:
        async with engine.connect() as connection:
            waiting, oldest_ms = (await connection.execute(text(f"SELECT count(*), min(created_ms) {WAITING}"))).one()
            parked = await connection.scalar(text(f"SELECT count(*) FROM {TABLE} WHERE parked IS NOT NULL"))
    except (DBAPIError, OSError) as error:
        raise CliError(f"The outbox cannot be read: {first_line(error)}.") from None
    finally:
        await engine.dispose()
    age = f", the oldest for {(time.time() * 1000 - oldest_ms) / 1000:.0f} s" if waiting else ""
    click.echo(f"{waiting} waiting{age}; {parked} parked")
    return 1 if parked else 0
