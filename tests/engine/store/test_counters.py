"""Counts of a queue are read by one command, whether their minutes are folded yet or not."""

from typing import Any

import pytest

from service.engine.redis.client import Client
from service.engine.store import keys
from service.engine.store.counters import Counters, Row
from service.engine.store.scripts import KEEP_MINUTES
from service.lib.clock import now_ms

QUEUE = "thumbnails"


@pytest.fixture
def commands(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the commands that the client has sent. Of a pipeline it sends none."""
    sent: list[str] = []
    send = client.execute_command

    def note(name: str, *arguments: Any, **options: Any) -> Any:
        sent.append(name)
        return send(name, *arguments, **options)

    monkeypatch.setattr(client, "execute_command", note)
    monkeypatch.setattr(client, "pipeline", None)
    return sent


def completed(*rows: Row) -> int:
    return sum(int(row.get(b"completed|probe", 0)) for row in rows)


async def test_a_month_of_days_is_one_command_before_and_after_the_first_fold(
    client: Client, commands: list[str]
) -> None:
    counters, minute = Counters(client), now_ms() // 60_000
    today = minute // 1440
    counted = {minute: 1, minute - 7: 2, minute - KEEP_MINUTES + 10: 4}
    for number, jobs in counted.items():
        await client.hset(keys.metrics(QUEUE, number), "completed|probe", jobs)
    await client.hset(keys.metrics_day(QUEUE, today - 20), "completed|probe", 8)
    await counters.spans("day", QUEUE, [today], minute)
    commands.clear()

    days, unfolded = await counters.spans("day", QUEUE, range(today - 29, today + 1), minute)
    assert commands == ["EVALSHA"]
    assert {number: int(row[b"completed|probe"]) for number, row in unfolded.items()} == counted
    assert [row for row in days if row] == [{b"completed|probe": b"8"}] == [days[9]]
    assert await counters.total(QUEUE, minute) == ({}, unfolded)

    await counters.fold(QUEUE)
    days, unfolded = await counters.spans("day", QUEUE, range(today - 29, today + 1), minute)
    # The present minute is folded too where it has ended since.
    assert completed(*days, *unfolded.values()) == 15 and set(unfolded) <= {minute}
    row, unfolded = await counters.total(QUEUE, minute)
    assert completed(row, *unfolded.values()) == 7 and set(unfolded) <= {minute}


async def test_minutes_are_read_as_they_are(client: Client) -> None:
    minute = now_ms() // 60_000
    await client.hset(keys.metrics(QUEUE, minute), "failed|probe", 3)
    rows, unfolded = await Counters(client).spans("minute", QUEUE, [minute - 1, minute], minute)
    assert (rows, unfolded) == ([{}, {b"failed|probe": b"3"}], {})
