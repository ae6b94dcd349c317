"""Declarations of a package besides its job types: `queue`, `schedule`, `alert_rule` and `port`."""

from collections.abc import Callable
from typing import Any, TypeVar

from settings.alert_rules import RULES, Rule, problems
from settings.queues import NAMED, Queue, add_queue
from settings.schedules import SCHEDULES, Schedule

T = TypeVar("T")

Factory = Callable[[Any], Any]
"""Takes the installation's Settings. Returns the implementation, or an async context manager that yields it."""

PORTS: dict[type, Factory] = {}
"""Implementations that packages offer, by protocol: what `run.use(protocol)` returns."""


def queue(name: str, **bounds: Any) -> Queue:
    """Declare a queue, with bounds such as jobs_at_once=2, retries=2, timeout_s=600, memory_mb=512.

    One that the environment has declared keeps the environment's bounds. Raises ValueError for a bad name or bound, and for a
    queue of Offload's own or of another package.
    """
    if name in NAMED:
        return Queue(name)
    return add_queue(name, **bounds)


def schedule(declared: Schedule) -> Schedule:
    """Declare a recurring job. Raises ValueError where its name is taken, or it can never run."""
    if any(one.name == declared.name for one in SCHEDULES):
        raise ValueError(f"the schedule {declared.name} is taken")
    if declared.problem:
        raise ValueError(declared.problem)
    SCHEDULES.append(declared)
    return declared


def alert_rule(rule: Rule) -> Rule:
    """Declare an alert rule, over a measure of docs/monitoring/alerts.md. Raises ValueError, naming what is wrong with it."""
    if found := problems([*RULES, rule]).get(rule.name):
        raise ValueError(found)
    RULES.append(rule)
    return rule


def port(protocol: type[T], factory: Factory) -> None:
    """Offer an implementation of a protocol to tasks. Raises ValueError where there is one already."""
    if protocol in PORTS:
        raise ValueError(f"the port {protocol.__name__} is taken")
    PORTS[protocol] = factory
