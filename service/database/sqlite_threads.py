"""Threads of SQLite connections, ended before the event loop that they answer."""

import asyncio
import contextlib
import sqlite3
import time
from typing import Any

import aiosqlite
from sqlalchemy import event
from sqlalchemy.engine import Engine

END_S = 5.0
"""Seconds that a connection, told to close, has to end what it runs."""


class SqliteThreads:
    """Every open connection of an engine. The driver runs each in a thread, which hands its results to the event loop.

    A session that is cancelled leaves its connection to close without being waited for. Where the loop ended first, the
    thread would die of "Event loop is closed". For the same reason nothing connects once the database is closed: a reading
    that requests share runs on when they are gone, and would begin its thread as the loop ends.
    """

    def __init__(self, engine: Engine) -> None:
        self._connections: set[aiosqlite.Connection] = set()
        self._closed = False
        event.listen(engine, "do_connect", self._track)

    def _track(self, _dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = self._connect

    def _connect(self, *arguments: Any, **options: Any) -> aiosqlite.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("The database is closed.")
        connection = aiosqlite.connect(*arguments, **options)
        # As SQLAlchemy does for connections that it makes: an interpreter that exits waits for no query.
        connection._thread.daemon = True
        self._connections = {open_one for open_one in self._connections if open_one._thread.is_alive()}
        self._connections.add(connection)
        return connection

    async def end(self) -> None:
        """Let none begin from now on, and return once none is left. What still runs after END_S is told to stop, and not
        waited for."""
        self._closed = True
        until = time.monotonic() + END_S
        while alive := [connection for connection in self._connections if connection._thread.is_alive()]:
            if time.monotonic() > until:
                for connection in alive:
                    _stop_once(connection)
                return
            await asyncio.sleep(0.001)


def _stop_once(connection: aiosqlite.Connection) -> None:
    """End the connection's thread after what it runs.

    A session that closes the connection later stops it again, and waits for a second reply of a thread that gave the first and
    ended: a process whose database another one kept locked never came to its end. Each stop gives the first one's reply.
    """
    reply = connection.stop()
    connection.stop = lambda: reply  # type: ignore[method-assign]  # of this connection alone
    with contextlib.suppress(sqlite3.ProgrammingError, ValueError):
        connection._conn.interrupt()
