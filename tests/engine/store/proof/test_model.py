"""The shipped scripts and the model do the same, whatever clients, workers, operators and crashes do in whatever order."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.store.proof import clock
from tests.engine.store.proof.clients import Clients
from tests.engine.store.proof.workers import Workers

CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class Machine(Clients, Workers):
    """All that can happen."""


@pytest.fixture
def machine(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Machine]]:
    monkeypatch.setattr(Machine, "url", redis_url)
    with clock.stepped():
        yield Machine


def bounded(examples: int, steps: int, **more: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=CHECKS,
        **more,
    )


def test_the_store_does_what_the_model_says(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=bounded(60, 30, derandomize=True))


@pytest.mark.long
def test_the_store_does_what_the_model_says_for_minutes(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=bounded(1_000, 60))
