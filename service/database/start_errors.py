"""Reasons that keep a database from being opened at the start, as a sentence for the operator in the place of a traceback."""

import ssl
from collections.abc import Iterator

import asyncpg

from service.database.migrate import WrongRevision
from service.database.postgres_url import BadDatabaseUrl


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
