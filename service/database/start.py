"""The database as a process starts: opened, or a sentence for the operator in the place of a traceback."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from service.database.connection import Database, open_database
from service.database.migrate import WrongRevision
from service.database.postgres_url import BadDatabaseUrl
from service.lib.outages import outage_of


@contextlib.asynccontextmanager
async def opened_database(url: str) -> AsyncIterator[Database]:
    """As `open_database`. Raises SystemExit with one sentence where the URL, or the server, must be changed first."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(url))
        except Exception as error:
            outage = outage_of(error)
            sentence = start_sentence(error) or (f"{outage.sentence}." if outage else None)
            if sentence is None:
                raise
            raise SystemExit(sentence) from None
        yield database


def check_database(url: str) -> None:
    """Open the database once, from a thread of its own. Raises SystemExit as `opened_database` does.

    Within a running loop, before the server starts: from there the sentence stands alone, where the server would put
    a hundred lines of traceback around it.
    """

    async def check() -> str | None:
        try:
            async with opened_database(url):
                return None
        except SystemExit as stop:
            return str(stop)

    with ThreadPoolExecutor(1) as thread:
        sentence = thread.submit(lambda: asyncio.run(check())).result()
    if sentence:
        raise SystemExit(sentence)


def start_sentence(error: BaseException) -> str | None:
    """The sentence, without the URL and its password; None for an error that no setting causes."""
    for one in _causes(error):
        if isinstance(one, WrongRevision | BadDatabaseUrl):
            return str(one)
        if isinstance(one, ssl.SSLError):
            reason = getattr(one, "verify_message", "") or one.reason or "TLS cannot be agreed on"
            return (
                f"OFFLOAD_DATABASE_URL: the database's certificate is not accepted ({reason}): sslrootcert in the URL "
                "names the authority that signed it."
            )
        if isinstance(one, asyncpg.InvalidAuthorizationSpecificationError):
            return "OFFLOAD_DATABASE_URL: the database refuses this user or password."
        if isinstance(one, asyncpg.InvalidCatalogNameError):
            return "OFFLOAD_DATABASE_URL: there is no database of this name on the server."
        if isinstance(one, asyncpg.InsufficientPrivilegeError):
            return "OFFLOAD_DATABASE_URL: this user may not make or change the tables."
        if isinstance(one, asyncpg.ClientConfigurationError):
            return f"OFFLOAD_DATABASE_URL: {one}."
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__
