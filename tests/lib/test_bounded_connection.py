"""Connections to a real server: each wait for a client ends, a head has a bound, and what goes on slowly is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from service.lib.bounded_connection import HEAD_MAX_BYTES, BoundedConnection
from tests.waiting import LIMIT_S, wait_until_async
from tests.web import PromptServer

ANSWER_BYTES = 64 << 20
"""More than the buffers of both ends together hold."""


class Brief(BoundedConnection):
    """The same within a test's patience."""

    POLL_S, HEAD_S, STALL_S = 0.02, 0.2, 0.3


class App:
    """GET answers with as many bytes as its path says; POST with the number that came, or notes that the client has gone."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size = 0
        while (message := await receive())["type"] == "http.request":
            size += len(message["body"])
            if not message["more_body"]:
                break
        else:
            self.gone.set()
            return
        body = str(size).encode() if scope["method"] == "POST" else b"a" * int(scope["path"][1:])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app: App, connection: type[BoundedConnection] = Brief) -> AsyncIterator[tuple[int, PromptServer]]:
    """The port, and the server."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=connection, lifespan="off", log_level="error", timeout_graceful_shutdown=1
    )
    server = PromptServer(config)
    running = asyncio.create_task(server.serve())
    await wait_until_async(lambda: server.started or running.done())
    try:
        yield server.servers[0].sockets[0].getsockname()[1], server
    finally:
        server.stopped.set()
        await asyncio.wait_for(running, LIMIT_S)


async def answer_to(port: int, sent: bytes) -> bytes:
    """Bytes until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), LIMIT_S)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"GET /1 HTTP/1.1\r\nHost: x\r\n", b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfour", b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n", b"HTTP/1.1 408 "),
        (b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /1 HTTP/1.1\r\n", b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "an empty line", "half a head", "half a body", "half a chunked body", "half a second head"],
)
async def test_what_stops_arriving_is_ended(sent: bytes, begins: bytes) -> None:
    app = App()
    async with serving(app) as (port, server):
        answer = await answer_to(port, sent)
        assert answer.startswith(begins) and bool(answer) == bool(begins)
        await wait_until_async(lambda: not server.server_state.connections and not server.server_state.tasks)
        assert app.gone.is_set() == sent.startswith(b"POST")


async def test_an_answer_that_no_one_takes_is_ended() -> None:
    async with serving(App()) as (port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET /{ANSWER_BYTES} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await wait_until_async(lambda: bool(server.server_state.connections))
        await wait_until_async(lambda: not server.server_state.connections and not server.server_state.tasks)
        writer.close()
        del reader


class Clock:
    """A loop whose time is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def call_later(self, _delay_s: float, check: Callable[[], None]) -> asyncio.TimerHandle:
        self.check = check
        return asyncio.get_running_loop().call_later(LIMIT_S, lambda: None)

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return asyncio.create_task(coroutine)

    def after(self, seconds: float) -> None:
        """Let the connection check its times."""
        self.now += seconds
        self.check()


class Wire(asyncio.Transport):
    """The other end: what is sent stays in `unsent` until a test takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.unsent, self.state = b"", 0, "open"

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.state != "open"

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"


async def connected() -> tuple[BoundedConnection, Clock, Wire]:
    config = uvicorn.Config(App(), log_level="error", lifespan="off")
    config.load()
    clock, wire = Clock(), Wire()
    connection = BoundedConnection(config, uvicorn.Server(config).server_state, {}, _loop=clock)
    connection.connection_made(wire)
    return connection, clock, wire


async def test_a_body_that_arrives_slowly_is_taken() -> None:
    connection, clock, wire = await connected()
    connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(20):
        connection.data_received(b"a" * connection.PROGRESS_BYTES)
        clock.after(connection.STALL_S - 1)
    assert not wire.is_closing()
    clock.after(1)
    for _ in range(30):
        connection.data_received(b"a")
        clock.after(2)
    assert (wire.state, wire.written[:13]) == ("closed", b"HTTP/1.1 408 ")
    connection.connection_lost(None)


async def test_an_answer_that_is_taken_slowly_is_sent() -> None:
    connection, clock, wire = await connected()
    connection.data_received(b"GET /1 HTTP/1.1\r\n\r\n")
    connection.pause_writing()
    for unsent in range(100 * connection.PROGRESS_BYTES, 80 * connection.PROGRESS_BYTES, -connection.PROGRESS_BYTES):
        wire.unsent = unsent
        clock.after(connection.STALL_S - 1)
    assert not wire.is_closing()
    for _ in range(60):
        wire.unsent -= 1
        clock.after(1)
    assert wire.state == "aborted"
    connection.connection_lost(None)


async def test_an_answer_that_takes_long_to_begin_is_waited_for() -> None:
    connection, clock, wire = await connected()
    connection.data_received(b"GET /1 HTTP/1.1\r\n\r\n")
    clock.after(10 * connection.STALL_S)
    assert not wire.is_closing()
    connection.connection_lost(None)


HUGE = {
    "value": b"GET /1 HTTP/1.1\r\nX: " + b"a" * (4 * HEAD_MAX_BYTES),
    "address": b"GET /" + b"1" * (4 * HEAD_MAX_BYTES),
    "many headers": b"GET /1 HTTP/1.1\r\n" + b"X: a\r\n" * HEAD_MAX_BYTES,
    "trailer": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * (4 * HEAD_MAX_BYTES),
    "just over": b"GET /1 HTTP/1.1\r\nX: " + b"a" * HEAD_MAX_BYTES + b"\r\n\r\n",
}


@pytest.mark.parametrize("kind", HUGE)
async def test_a_head_that_is_too_large_is_refused(kind: str) -> None:
    async with serving(App(), BoundedConnection) as (port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = HUGE[kind]
        try:
            # In pieces, as a network brings them: what is not whole yet is kept.
            for at in range(0, len(sent), 16_384):
                writer.write(sent[at : at + 16_384])
                await writer.drain()
            answer = await asyncio.wait_for(reader.read(), LIMIT_S)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
        except ConnectionError:
            # It was closed while more was coming.
            pass
        writer.close()
        await wait_until_async(lambda: not server.server_state.connections)


async def test_a_large_head_and_a_large_body_are_taken() -> None:
    async with serving(App(), BoundedConnection) as (port, _):
        head = b"POST / HTTP/1.1\r\nConnection: close\r\nX: " + b"a" * (HEAD_MAX_BYTES - 200)
        body = b"b" * (8 * HEAD_MAX_BYTES)
        answer = await answer_to(port, head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n%d" % len(body))
        chunked = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await answer_to(port, chunked + b"1\r\nb\r\n" * 30_000 + b"0\r\n\r\n")).endswith(b"\r\n\r\n30000")


async def test_what_cannot_be_parsed_is_still_a_bad_request() -> None:
    async with serving(App()) as (port, _):
        assert (await answer_to(port, b"what\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
