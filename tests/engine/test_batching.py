"""Requests that arrive together share a call; each gets its own answer, and one that fails takes only its call with it."""

import asyncio
from collections.abc import Sequence

import pytest

from service.engine.batching import Batcher


class Server:
    """Doubles numbers, one call at a time, and holds each call until it is let go."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = asyncio.Semaphore(0)

    async def double(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        await self.gate.acquire()
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


async def begun(batcher: Batcher[int, int], numbers: Sequence[int]) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(batcher(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_what_arrives_during_a_call_shares_the_next() -> None:
    server = Server()
    batcher = Batcher(server.double)
    tasks = await begun(batcher, range(100, 350))
    for _ in range(4):
        server.gate.release()
    assert await asyncio.gather(*tasks) == [2 * number for number in range(100, 350)]
    assert [len(call) for call in server.calls] == [1, 100, 100, 49]


async def test_a_call_that_fails_fails_its_own_requests_alone() -> None:
    server = Server()
    batcher = Batcher(server.double)
    tasks = await begun(batcher, [1, 12, 13])
    server.gate.release()
    assert await tasks[0] == 2
    server.gate.release()
    for task in tasks[1:]:
        with pytest.raises(ValueError, match="thirteen"):
            await task
    server.gate.release()
    assert await batcher(4) == 8


async def test_who_goes_away_while_waiting_has_nothing_done() -> None:
    server = Server()
    batcher = Batcher(server.double)
    tasks = await begun(batcher, [1, 2, 3])
    tasks[1].cancel()
    await asyncio.sleep(0)
    server.gate.release()
    server.gate.release()
    assert (await tasks[0], await tasks[2]) == (2, 6)
    assert server.calls == [[1], [3]]


async def test_a_first_one_that_is_cancelled_leaves_the_others_their_call() -> None:
    server = Server()
    batcher = Batcher(server.double)
    tasks = await begun(batcher, [1, 2])
    tasks[0].cancel()
    server.gate.release()
    assert await tasks[1] == 4
