"""Each name in Redis has one owner."""

import inspect
from types import ModuleType

import pytest

from service.documents import keys as scan_keys
from service.engine import service_keys
from service.engine.schedules import keys as schedule_keys
from service.engine.store import channels, keys
from service.mail import keys as mail_keys
from service.monitoring.alerts import keys as alert_keys
from service.monitoring.changes import keys as change_keys
from service.monitoring.fairness import keys as fairness_keys
from service.monitoring.owner_alerts import keys as owner_alert_keys
from service.webhooks import keys as webhook_keys

OWNERS = (
    keys, channels, schedule_keys, service_keys, alert_keys, change_keys, mail_keys, webhook_keys, scan_keys, fairness_keys,
    owner_alert_keys,
)  # fmt: skip


def names_of(module: ModuleType) -> dict[str, str]:
    """Every key and channel that a module makes, with `*` for each of its arguments."""
    found = {}
    for name, member in vars(module).items():
        if isinstance(member, str) and member.startswith(keys.PREFIX) and member != keys.PREFIX:
            found[name] = member
        elif inspect.isfunction(member) and member.__module__ == module.__name__:
            found[name] = member(*["*"] * len(inspect.signature(member).parameters))
    return found


def prefixes() -> list[tuple[str, str]]:
    """(owner, prefix) of each: the part before the first argument."""
    return [
        (f"{module.__name__}.{name}", made.partition("*")[0])
        for module in OWNERS
        for name, made in names_of(module).items()
    ]


def test_every_prefix_is_unique() -> None:
    owners: dict[str, str] = {}
    for owner, prefix in prefixes():
        # by_type and its like have two arguments; only what stands before the first tells them apart.
        assert prefix not in owners, f"{owner} and {owners[prefix]} share {prefix}"
        owners[prefix] = owner
    assert len(owners) > 40


@pytest.mark.parametrize("module", OWNERS, ids=lambda module: module.__name__)
def test_every_module_of_keys_is_measured(module: ModuleType) -> None:
    assert names_of(module)


def test_every_key_of_ours_has_the_prefix_or_is_arqs() -> None:
    assert [(owner, made) for owner, made in prefixes() if not made.startswith((keys.PREFIX, "arq:job:"))] == []
