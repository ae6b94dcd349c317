"""Arguments of a PostgreSQL URL, as the driver wants them.

SQLAlchemy hands a URL's parameters to asyncpg as keywords, of which asyncpg knows some; those of libpq (`sslmode`,
`sslrootcert` and so on), which every other program takes in a URL, asyncpg reads in an address of its own only.
"""

import inspect
import os
from typing import Any
from urllib.parse import urlencode

import asyncpg
from sqlalchemy import URL

LIBPQ = (
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation", "ssl_min_protocol_version",
    "ssl_max_protocol_version", "options", "application_name", "passfile",
)  # fmt: skip
"""Parameters of libpq that asyncpg reads in its address."""

SQLALCHEMY = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_creator_fn", "async_fallback")
"""Parameters that SQLAlchemy reads itself and asyncpg does not know."""

ASYNCPG = tuple(inspect.signature(asyncpg.connect).parameters)

CONNECT_TIMEOUT_S = 5.0
"""A server that does not take a connection in this time counts as away; asyncpg's own minute would hang a request."""

COMMAND_TIMEOUT_S = 60.0
"""A statement of a request that takes longer has no use any more. Migrations and exports set their own."""


class BadDatabaseUrl(ValueError):
    """A parameter of the URL that nothing here knows: a sentence for the operator, without the URL."""


def split_url(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL without what is libpq's, and keywords for asyncpg in its place. Raises BadDatabaseUrl.

    `sslrootcert` without a mode means `verify-full`: who names a certificate wants it checked, which libpq's own default
    would not do.
    """
    unknown = sorted(set(url.query) - {*LIBPQ, *SQLALCHEMY, *ASYNCPG})
    if unknown:
        raise BadDatabaseUrl(
            f"OFFLOAD_DATABASE_URL has a parameter {unknown[0][:60]!r} that is not known: TLS takes sslmode, sslrootcert, "
            "sslcert and sslkey."
        )
    given = {name: str(value) for name, value in url.query.items() if name in LIBPQ}
    taken = [*given]
    if "ssl" in url.query and any(name.startswith("ssl") for name in given):
        given.setdefault("sslmode", str(url.query["ssl"]))
        taken.append("ssl")
    if "sslrootcert" in given:
        given.setdefault("sslmode", "verify-full")
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S}
    if given:
        arguments["dsn"] = f"postgresql:///?{urlencode(given)}"
    return url.difference_update_query(taken), {n: v for n, v in arguments.items() if n not in url.query}


def check_files(url: URL) -> None:
    """Raises BadDatabaseUrl for a file of the URL that cannot be read: the driver would not say which."""
    for name in ("sslrootcert", "sslcert", "sslkey", "sslcrl"):
        file = url.query.get(name)
        if file and not os.access(str(file), os.R_OK):
            raise BadDatabaseUrl(f"OFFLOAD_DATABASE_URL: the file of {name}, {str(file)[:200]}, cannot be read.")


def asyncpg_arguments(url: URL) -> dict[str, Any]:
    """All that asyncpg.connect is called with for this URL."""
    plain, arguments = split_url(url)
    _, options = plain.get_dialect()().create_connect_args(plain)
    return {name: value for name, value in options.items() if name not in SQLALCHEMY} | arguments
