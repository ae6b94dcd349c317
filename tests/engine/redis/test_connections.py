"""A closed connection is a lost one, on each event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop
from redis.exceptions import ConnectionError as RedisConnectionError

from service.engine.redis.client import unconnected
from service.engine.redis.command_connection import CommandConnection
from tests.waiting import wait_until_async


def on_uvloop(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test)


def test_a_command_after_the_transport_has_closed_is_a_connection_error(settings_env) -> None:
    async def test() -> None:
        connection = unconnected(settings_env["OFFLOAD_REDIS_URL"])
        await connection.connect()
        connection._writer.transport.abort()
        await wait_until_async(lambda: connection._reader.at_eof() or connection._reader.exception() is not None)
        with pytest.raises(RedisConnectionError):
            await connection.send_command("PING", check_health=False)
        await connection.connect()
        await connection.send_command("PING", check_health=False)
        assert await connection.read_response() == b"PONG"
        await connection.disconnect()

    on_uvloop(test())


def test_a_raw_connection_that_has_closed_refuses_words_with_a_connection_error(settings_env) -> None:
    async def test() -> None:
        commands = CommandConnection(settings_env["OFFLOAD_REDIS_URL"])
        await commands.execute_command("PING")
        replies = commands.replies
        replies.cut()
        await wait_until_async(replies.transport.is_closing)
        await asyncio.sleep(0)
        with pytest.raises(RedisConnectionError):
            replies.send("PING")
        assert await commands.execute_command("PING") == b"PONG"
        await commands.aclose()

    on_uvloop(test())
