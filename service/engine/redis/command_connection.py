"""Commands over one connection of their own: none has to look for a free one, and an answer is there as it comes."""

import asyncio
from collections import deque
from typing import Any

from redis.exceptions import TimeoutError as RedisTimeoutError

from service.engine.redis.client import SOCKET_TIMEOUT_S
from service.engine.redis.raw_connection import RawConnection


class CommandConnection:
    """Connects when first needed, and again after the connection was lost. Those that ask at the same time are answered in
    turn."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.line: _Line | None = None
        self.connecting = asyncio.Lock()

    async def execute_command(self, *words: Any) -> Any:
        """The server's answer. Raises its refusal, or a RedisError or OSError where none comes in SOCKET_TIMEOUT_S: then
        the command may have been carried out, or not."""
        line = self.line
        if line is None or line.lost.done():
            line = await self._connected()
        answer = line.ask(words)
        limit = asyncio.get_running_loop().call_later(SOCKET_TIMEOUT_S, line.give_up)
        try:
            said = await answer
        finally:
            limit.cancel()
        if isinstance(said, Exception):
            raise said
        return said

    async def _connected(self) -> "_Line":
        async with self.connecting:
            if self.line is None or self.line.lost.done():
                self.line = await _Line.open(self.url)
            return self.line

    async def aclose(self) -> None:
        """Hang up."""
        if self.line is not None:
            self.line.cut()


class _Line(RawConnection):
    """Answers come in the order of what was asked."""

    def __init__(self) -> None:
        super().__init__(self._answered)
        self.asked: deque[asyncio.Future[Any]] = deque()
        self.lost.add_done_callback(lambda lost: self._fail(lost.result()))

    def ask(self, words: tuple[Any, ...]) -> "asyncio.Future[Any]":
        """Will be the server's answer, or an error as one."""
        answer = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        self.say(*words)
        return answer

    def _answered(self, said: Any) -> None:
        answer = self.asked.popleft()
        # Whoever asked may have gone away.
        if not answer.done():
            answer.set_result(said)

    def _fail(self, error: Exception) -> None:
        while self.asked:
            self._answered(error)

    def give_up(self) -> None:
        self._fail(RedisTimeoutError(f"no answer in {SOCKET_TIMEOUT_S:g} s"))
        self.cut()
