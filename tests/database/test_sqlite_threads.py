"""Connections whose sessions were cancelled end before the database is closed, and so before the event loop."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from service.database import Database, open_database
from service.lib.single_flight import Shared
from tests.waiting import wait_until_async


def of_connections() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name}


class Pause:
    """A query that runs until it may end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self.begun.set()
        return int(self.may_end.wait(60))

    async def query(self, database: Database) -> None:
        async with database.reading() as session:
            raw = await (await session.connection()).get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.create_function("pause", 0, self)
            await session.execute(text("SELECT pause()"))


@pytest.fixture
async def pause() -> AsyncIterator[Pause]:
    pause = Pause()
    yield pause
    pause.may_end.set()


async def cancelled(pause: Pause, database: Database) -> None:
    """Cancel the query, and then the patient closing of its connection."""
    running = asyncio.create_task(pause.query(database))
    await wait_until_async(pause.begun.is_set)
    while not running.done():
        running.cancel()
        await asyncio.sleep(0)


async def test_a_cancelled_query_ends_before_the_database_is_closed(sqlite_url: str, pause: Pause) -> None:
    before = of_connections()
    async with open_database(sqlite_url) as database:
        await cancelled(pause, database)
        [left] = of_connections() - before
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        pause.may_end.set()
        await closing
        assert not left.is_alive()


async def test_a_cancelled_opening_ends_before_the_database_is_closed(sqlite_url: str) -> None:
    before = of_connections()
    async with open_database(sqlite_url) as database:
        opening = [asyncio.create_task(database.check()) for _ in range(8)]
        await asyncio.sleep(0)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
    assert of_connections() <= before


async def test_a_reading_that_outlives_its_requests_begins_no_thread_once_the_database_is_closed(
    sqlite_url: str,
) -> None:
    before = of_connections()
    async with open_database(sqlite_url) as database:
        shared = Shared(database.check, fresh_s=60)
    with pytest.raises(ProgrammingError, match="The database is closed"):
        await shared()
    assert of_connections() <= before


async def test_a_query_that_does_not_end_is_not_waited_for(
    sqlite_url: str, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.sqlite_threads.END_S", 0.0)
    before = of_connections()
    async with open_database(sqlite_url) as database:
        await cancelled(pause, database)
    [left] = of_connections() - before
    pause.may_end.set()
    await asyncio.to_thread(left.join)


async def test_a_session_that_waits_for_another_process_ends_after_the_database_is_closed(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.sqlite_threads.END_S", 0.0)
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def runs(statement: str) -> None:
        # Called in the connection's thread: what begins to write waits there for the other's lock.
        if statement.startswith("BEGIN IMMEDIATE"):
            loop.call_soon_threadsafe(begun.set)

    async def write(database: Database) -> None:
        async with database.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.set_trace_callback(runs)
            await connection.execution_options(sqlite_begin="IMMEDIATE")
            await connection.execute(text("DELETE FROM documents"))

    with closing(sqlite3.connect(sqlite_url.partition("///")[2], isolation_level=None)) as other:
        async with open_database(sqlite_url) as database:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(write(database))
            await begun.wait()
        waiting.cancel()
        # It closes its connection while that still waits for the lock.
        for _ in range(100):
            await asyncio.sleep(0)
        other.execute("ROLLBACK")
        done, _ = await asyncio.wait([waiting], timeout=60)
    assert done == {waiting}, "it waits for a reply of a thread that has ended"
