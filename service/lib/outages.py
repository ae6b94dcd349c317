"""Recognition of infrastructure errors: the database, the storage or a disk is away or full, and the work is not at fault.

Drivers raise many classes for it, some of them shared with errors of a request. One function decides for all callers:
workers wait such an error out without spending a try, the API answers 503.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import asyncpg
from obstore.exceptions import BaseError, GenericError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from service.lib.reminder import Reminder
from tasks.sdk.errors import FULL_ERRNOS, Part, Unreachable, is_disk_full

NAMES: dict[Part, str] = {"database": "database", "storage": "file storage", "disk": "disk of this machine"}

STORAGE_AWAY = re.compile(r"HTTP error|status code: (429|5\d\d)")
"""obstore's words for a server that cannot be reached, or that fails, after its own retries."""

NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""Result codes of a full disk: for the file, and for what stands next to it while it is open."""

SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: "locked for too long",
    sqlite3.SQLITE_LOCKED: "locked for too long",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "its disk fails",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
}
"""Primary result codes (sqlite.org/rescode.html) that concern the file as a whole; the others are about a statement."""

SQLSTATES = {
    "08": "connection lost",
    "25006": "read-only",
    "28": "it refuses the user or the password",
    "3D000": "there is no database of that name",
    "53100": "its disk is full",
    "53200": "out of memory",
    "53300": "too many connections",
    "57P01": "shutting down",
    "57P02": "shutting down",
    "57P03": "starting up",
    "58": "its disk fails",
}
"""PostgreSQL's codes, or their classes (postgresql.org/docs/current/errcodes-appendix.html), that concern the server."""

CLOSED = re.compile(
    r"connection is closed|closed in the middle|connection was closed|connection has been (closed|released)"
)
DRIVERS = ("asyncpg", "aiosqlite")
"""Packages under which a plain OSError is about the database."""


@dataclass(frozen=True)
class Outage:
    """A part that is out of reach. `why` is some words without addresses, such as "connection refused"."""

    part: Part
    why: str

    @property
    def sentence(self) -> str:
        """One sentence for people, without its full stop."""
        if self.why == "full":
            return f"The {NAMES[self.part]} is full"
        return f"The {NAMES[self.part]} is out of reach ({self.why})"


def outage_of(error: BaseException) -> Outage | None:
    """The outage behind an error, or None where the error is about the work itself."""
    for one in _causes(error):
        found = _outage(one)
        if found is not None:
            return found
    return None


@contextmanager
def put_off(away: Reminder, log: Any, event: str) -> Iterator[None]:
    """End the block at an outage, for its caller to do it again later; `event` is logged while the outage lasts."""
    try:
        yield
        away.over()
    except Exception as error:
        outage = outage_of(error)
        if outage is None:
            raise
        if away.due():
            log.warning(event, reason=outage.sentence)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _causes(one)
        original = error.orig if isinstance(error, DBAPIError) else None
        error = original if original is not None else error.__cause__


def _outage(error: BaseException) -> Outage | None:
    if isinstance(error, Unreachable):
        return Outage(error.part, error.why)
    if isinstance(error, BaseError):
        return _storage(error)
    if isinstance(error, PoolExhausted):
        return Outage("database", "all connections are taken")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _database(error.orig) or Outage("database", "connection lost")
    return _database(error) or (Outage("disk", "full") if is_disk_full(error) else None)


def _storage(error: BaseError) -> Outage | None:
    text = str(error)
    if is_disk_full(error):
        return Outage("storage", "full")
    if not isinstance(error, GenericError) or not STORAGE_AWAY.search(text):
        return None
    status = re.search(r"status code: (\d+)", text)
    if status:
        return Outage("storage", f"it answers {status.group(1)}")
    return Outage("storage", "no answer in time" if re.search(r"kind: Timeout|timed out", text) else "no connection")


def _database(error: BaseException | None) -> Outage | None:
    if isinstance(error, sqlite3.Error):
        return _sqlite(error)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        why = SQLSTATES.get(state) or SQLSTATES.get(state[:2])
        return Outage("database", why) if why else None
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError) and CLOSED.search(str(error)):
        return Outage("database", "connection lost")
    if isinstance(error, OSError) and error.errno not in FULL_ERRNOS and _under_driver(error.__traceback__):
        return Outage("database", network_words(error))
    return None


def _sqlite(error: sqlite3.Error) -> Outage | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code in NO_ROOM:
        return Outage("database", "full")
    why = SQLITE_CODES.get(code & 0xFF)
    return Outage("database", why) if why else None


def _under_driver(trace: TracebackType | None) -> bool:
    """True where the error was raised under a database driver: a task may have sockets of its own."""
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in DRIVERS:
            return True
        trace = trace.tb_next
    return False


def network_words(error: OSError) -> str:
    """An OSError of a connection in some words, without the address that its text may hold."""
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return "connection lost" if isinstance(error, ConnectionError) else "no connection"
