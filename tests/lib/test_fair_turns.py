"""Turns go round between those who ask, within a bound of each."""

import asyncio

import pytest

from service.lib.fair_turns import GONE, Abandoned, FairTurns, unless_gone
from tests.waiting import LIMIT_S


async def test_owners_take_turns_whatever_each_asks_for() -> None:
    turns, order = FairTurns(1), []

    async def one(whose: str) -> None:
        async with turns.of(whose):
            order.append(whose)
            await asyncio.sleep(0)

    await asyncio.gather(*(one("a") for _ in range(6)), *(one("b") for _ in range(2)), one("c"))
    assert order[:6] == ["a", "a", "b", "c", "a", "b"] and order.count("a") == 6


async def test_one_owner_holds_no_more_than_its_share() -> None:
    turns = FairTurns(4, each=2)
    await turns.enter("a")
    await turns.enter("a")
    third = asyncio.create_task(turns.enter("a"))
    await asyncio.sleep(0)
    assert not third.done()
    await turns.enter("b")
    turns.leave("a")
    await third


async def test_who_gives_up_leaves_no_turn_behind() -> None:
    turns = FairTurns(1)
    await turns.enter("a")
    waiting = [asyncio.create_task(turns.enter(name)) for name in ("a", "b", "b")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    turns.leave("a")
    waiting[0].cancel()
    await asyncio.wait(waiting)
    assert not waiting[2].cancelled(), "the turn went to who still waited"
    turns.leave("b")
    await asyncio.wait_for(turns.enter("c"), LIMIT_S)


async def test_work_for_a_client_that_is_gone_is_dropped() -> None:
    gone, ended = asyncio.Event(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    token = GONE.set(gone.wait)
    try:
        asyncio.get_running_loop().call_soon(gone.set)
        with pytest.raises(Abandoned):
            await unless_gone(work())
    finally:
        GONE.reset(token)
    assert ended == [True]


async def test_all_that_are_cancelled_at_once_end_as_cancelled_and_leave_no_turn_behind() -> None:
    turns = FairTurns(1)
    entered = asyncio.Event()

    async def one() -> None:
        async with turns.of("a"):
            entered.set()
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(one()) for _ in range(4)]
    await entered.wait()
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 4, "an error would be taken for the work's own"
    async with asyncio.timeout(LIMIT_S), turns.of("a"):
        pass
