"""Declarations of a package besides its job types: `queue`, `schedule`, `alert_rule`, `port` and `mail_template`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from settings.alert_faults import problems
from settings.alert_rules import RULES, Rule
from settings.queues import NAME, NAMED, Queue, add_queue
from settings.schedules import SCHEDULES, Schedule

T = TypeVar("T")

Factory = Callable[[Any], Any]
"""Takes the installation's Settings. Returns the implementation, or an async context manager that yields it."""

PORTS: dict[type, Factory] = {}
"""Implementations that packages offer, by protocol: what `run.use(protocol)` returns."""


@dataclass(frozen=True)
class MailTemplate:
    """A template of mail that every owner may send: `{{ user.name }}` and the other variables of owners' templates."""

    template_id: str
    name: str
    subject: str
    html: str
    text: str


MAIL_TEMPLATES: dict[str, MailTemplate] = {}
"""Templates of packages, by their ids."""

ROWS_PREFIX = "template-"
"""Beginning of the ids of owners' templates."""


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


def mail_template(template: MailTemplate) -> MailTemplate:
    """Declare a template of mail. Raises ValueError for a bad or taken id, or an empty text."""
    name = template.template_id
    if not NAME.fullmatch(name) or name.startswith(ROWS_PREFIX):
        raise ValueError(
            f"the template {name[:80]!r} has a bad id: small letters, digits and dashes, not {ROWS_PREFIX}…"
        )
    if name in MAIL_TEMPLATES:
        raise ValueError(f"the template {name} is taken")
    if empty := next((field for field in ("subject", "html", "text") if not getattr(template, field).strip()), None):
        raise ValueError(f"the template {name} has no {empty}")
    MAIL_TEMPLATES[name] = template
    return template


def port(protocol: type[T], factory: Factory) -> None:
    """Offer an implementation of a protocol to tasks. Raises ValueError where there is one already."""
    if protocol in PORTS:
        raise ValueError(f"the port {protocol.__name__} is taken")
    PORTS[protocol] = factory
