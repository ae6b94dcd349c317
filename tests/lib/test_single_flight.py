"""Readings that are shared by those who ask at the same time."""

import asyncio

import pytest

from service.lib.single_flight import SharedByKey


class Source:
    """Rows by key, read one after the other on request. `reads` are the keys in the order in which they were read."""

    def __init__(self, **rows: str) -> None:
        self.rows = rows
        self.reads: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, key: str) -> str | None:
        self.reads.append(key)
        await self.open.wait()
        if self.rows.get(key) == "broken":
            raise OSError("away")
        return self.rows.get(key)


async def test_a_thousand_who_ask_at_once_cost_one_reading() -> None:
    source = Source(acme="a", globex="g")
    shared = SharedByKey(source.read, fresh_s=60, most=10)
    assert await asyncio.gather(*(shared("acme") for _ in range(1000)), shared("globex")) == ["a"] * 1000 + ["g"]
    assert await shared("acme") == "a" and source.reads == ["acme", "globex"]


async def test_one_who_goes_away_cancels_it_for_no_one_else() -> None:
    source = Source(acme="a")
    source.open.clear()
    shared = SharedByKey(source.read, fresh_s=60, most=10)
    first, second = asyncio.create_task(shared("acme")), asyncio.create_task(shared("acme"))
    await asyncio.sleep(0)
    first.cancel()
    source.open.set()
    assert await second == "a" and source.reads == ["acme"] and first.cancelled()


async def test_nothing_is_kept_of_what_is_not_there_nor_of_an_error() -> None:
    source = Source(bad="broken")
    shared = SharedByKey(source.read, fresh_s=60, most=10)
    assert await shared("none") is None and await shared("none") is None
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            await shared("bad")
    assert source.reads == ["none", "none", "bad", "bad"]


async def test_a_reading_that_began_before_it_was_forgotten_is_not_trusted_afterwards() -> None:
    source = Source(acme="old")
    source.open.clear()
    shared = SharedByKey(source.read, fresh_s=60, most=10)
    early = asyncio.create_task(shared("acme"))
    await asyncio.sleep(0)
    shared.forget("acme")
    source.open.set()
    assert await early == "old"
    source.rows["acme"] = "new"
    assert await shared("acme") == "new"


async def test_those_that_were_asked_for_last_are_kept() -> None:
    source = Source(a="1", b="2", c="3")
    shared = SharedByKey(source.read, fresh_s=60, most=2)
    for key in "abaca":
        await shared(key)
    assert source.reads == ["a", "b", "c"]
    await shared("b")
    assert source.reads == ["a", "b", "c", "b"]
