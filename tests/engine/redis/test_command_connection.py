"""A connection that one caller keeps for itself."""

import asyncio

import pytest
from redis.exceptions import NoScriptError, RedisError

from service.engine.redis.client import connect, unconnected
from service.engine.redis.command_connection import CommandConnection
from tests.waiting import wait_until_async


@pytest.fixture
async def other(settings_env):
    redis = connect(settings_env["OFFLOAD_REDIS_URL"])
    yield redis
    await redis.aclose()


@pytest.fixture
async def commands(settings_env):
    commands = CommandConnection(settings_env["OFFLOAD_REDIS_URL"])
    yield commands
    await commands.aclose()


async def test_the_first_call_after_the_server_has_hung_up_connects_again(commands, other) -> None:
    number = await commands.execute_command("CLIENT", "ID")
    await other.client_kill_filter(_id=str(number))
    await wait_until_async(lambda: commands.replies.lost.done())
    assert await commands.execute_command("CLIENT", "ID") != number


async def test_calls_at_the_same_time_are_each_answered_their_own_over_one_connection(commands) -> None:
    words = [str(number) for number in range(200)]
    assert await asyncio.gather(*(commands.execute_command("ECHO", word) for word in words)) == [
        w.encode() for w in words
    ]
    numbers = await asyncio.gather(*(commands.execute_command("CLIENT", "ID") for _ in range(20)))
    assert len(set(numbers)) == 1


async def test_a_refusal_is_raised_and_the_connection_goes_on(commands) -> None:
    number = await commands.execute_command("CLIENT", "ID")
    with pytest.raises(NoScriptError):
        await commands.execute_command("EVALSHA", "0" * 40, 0)
    assert await commands.execute_command("CLIENT", "ID") == number


async def test_a_caller_that_goes_away_leaves_the_others_their_replies(commands) -> None:
    await commands.execute_command("PING")
    away, stays = (asyncio.create_task(commands.execute_command("ECHO", word)) for word in ("away", "stays"))
    await asyncio.sleep(0)
    away.cancel()
    assert await stays == b"stays"
    assert away.cancelled()


async def test_a_caller_that_waits_as_the_connection_ends_gets_an_error(commands, other) -> None:
    number = await commands.execute_command("CLIENT", "ID")
    waiting = asyncio.create_task(commands.execute_command("BLPOP", "nothing-comes-here", 0))
    await asyncio.sleep(0)
    await other.client_kill_filter(_id=str(number))
    with pytest.raises(RedisError):
        await waiting
    assert await commands.execute_command("PING") == b"PONG"


async def test_a_server_that_says_nothing_is_given_up(commands, monkeypatch) -> None:
    monkeypatch.setattr("service.engine.redis.command_connection.SOCKET_TIMEOUT_S", 0.1)
    number = await commands.execute_command("CLIENT", "ID")
    with pytest.raises(RedisError, match=r"no answer in 0\.1 s"):
        await commands.execute_command("BLPOP", "nothing-comes-here", 0)
    assert await commands.execute_command("CLIENT", "ID") != number


async def test_redis_py_still_gives_its_transport_away(settings_env) -> None:
    """The one private name of redis-py that the product takes: an upgrade that moves it must fail here first."""
    connection = unconnected(settings_env["OFFLOAD_REDIS_URL"])
    await connection.connect()
    try:
        assert isinstance(connection._writer.transport, asyncio.Transport)
        assert connection._writer.transport.get_protocol() is not None
        assert not connection._reader._buffer, (
            "its greeting left something unread, which a change of protocol would lose"
        )
    finally:
        await connection.disconnect()
