"""All orders in which two workers, a client and the clock can call the shipped scripts; and faults that the search must find."""

import pytest

from service.engine.store import Store
from service.engine.store.script_inputs import NewJob
from tests.engine.store.proof import clock
from tests.engine.store.proof.orders import Orders, job

ONE_KEY = "plain:file:f|1|0|0"

SCENES: dict[str, tuple[list[NewJob], dict[str, bool]]] = {
    "two jobs": ([job("1"), job("2")], {}),
    "two jobs of one key": ([job("1", limits=ONE_KEY), job("2", limits=ONE_KEY)], {}),
    "one job after another": (
        [job("1", workflow="flow", followers=["2"]), job("2", workflow="flow", after=1)],
        {"workflow": True},
    ),
    "a job and its part": ([job("1")], {"parts": True}),
}
FAULTS = {
    "a lease that is not asked for its fence": (
        "local j = held == tostring(outcome.fence) and load",
        "local j = held and load",
    ),
    "a renewal under any fence": (
        "if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then\n    lost",
        "if false then\n    lost",
    ),
    "an end that is counted twice": ("tally(j, state, 1)", "tally(j, state, 2)"),
    "work that stays in the backlog": ("(is and j.cost or -j.cost)", "(is and j.cost or 0)"),
    "a key that a crash does not free": (
        "and to ~= 'active' and (from == 'active'",
        "and to ~= 'active' and (from == 'none'",
    ),
}


async def searched(store: Store, scene: str, depth: int) -> Orders:
    jobs, how = SCENES[scene]
    orders = Orders(store)
    await orders.search(jobs, depth, **how)
    print(f"{scene}: {orders.states:,} states, {orders.calls:,} calls, to a depth of {depth}")
    return orders


@pytest.mark.parametrize("scene", SCENES)
async def test_every_order_of_a_few_calls(store: Store, scene: str) -> None:
    with clock.stepped():
        assert (await searched(store, scene, 3)).states > 20


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES)
async def test_every_order_of_many_calls(store: Store, scene: str) -> None:
    with clock.stepped():
        assert (await searched(store, scene, 8)).states > 500


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(store: Store, fault: str) -> None:
    with clock.stepped(FAULTS[fault]), pytest.raises(AssertionError, match="after:"):
        await Orders(store).search([job("1", limits=ONE_KEY)], 4)
