"""Refusing NUL characters, which no stored text may hold: PostgreSQL has no place for them.

SQLite would take them, so what works there would fail in production. Bodies are looked through where they are decoded
(strict_json.py, upload_form.py); here are the address and the headers.
"""

from collections.abc import Iterator
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler

from service.api.errors import BadRequest
from service.api.schemas import FieldError
from service.lib.text import NUL

STORED_HEADERS = (b"idempotency-key", b"user-agent")
"""Headers of which something is kept: with the job, in the audit log."""

WRITTEN = (b"\0", b"%00")
"""Ways to write a NUL in an address or a header."""


async def refuse_nul(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard. Raises BadRequest for a query or a header with a NUL; 404 for a path: no thing has such an id.

    Async, for Litestar runs every other guard in a thread: each request would wait for one.
    """
    if NUL in connection.scope["path"]:
        raise NotFoundException
    query, errors = connection.scope["query_string"], []
    if any(written in query for written in WRITTEN):
        errors += [nul_error(name) for name, value in connection.query_params.multi_items() if NUL in name + str(value)]
    # %00 too: what the command line puts there is percent-encoded.
    for name, value in connection.scope["headers"]:
        if name in STORED_HEADERS and any(written in value for written in WRITTEN):
            errors.append(nul_error(name.decode().title()))
    if errors:
        raise BadRequest(*errors)


def nul_error(name: str) -> FieldError:
    """Sentence about a field that holds one."""
    shown = name.replace(NUL, "\\0")[:100]
    return FieldError(shown, f"{shown} holds a NUL character, which no stored text can.")


def nul_fields(value: Any, name: str) -> Iterator[FieldError]:
    """An error for each text with a NUL within a JSON value; `name` is where the value stands."""
    if isinstance(value, str):
        if NUL in value:
            yield nul_error(name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from nul_fields(item, f"{name}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            path = f"{name}.{key}" if name else str(key)
            yield from nul_fields(item, path) if NUL not in key else iter([nul_error(path)])
