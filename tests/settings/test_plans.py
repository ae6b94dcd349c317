"""Plans and external services in the environment, and the limits that hold for one owner."""

from pathlib import Path

import pytest

from settings.load import Settings, read_settings
from settings.plans import PLAN_TABLE, Limits, Plan
from settings.queues import Queue
from settings.services import ServiceLimits


def read(monkeypatch: pytest.MonkeyPatch, folder: Path, **variables: str) -> Settings:
    environment = {"OFFLOAD_DATA_DIR": str(folder)} | {f"OFFLOAD_{name}": value for name, value in variables.items()}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings(environment)


def test_without_a_setting_the_default_plan_bounds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = read(monkeypatch, tmp_path)
    assert settings.plans == PLAN_TABLE and settings.plans[settings.default_plan] == Plan()
    assert set(settings.plans) == {"free", "standard", "premium"} and settings.services == {}


def test_a_field_is_overridden_and_a_plan_is_added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = read(
        monkeypatch,
        tmp_path,
        PLANS__FREE__PAGES_PER_MONTH="none",
        PLANS__GOLD_PLUS__WEIGHT="8",
        PLANS__FREE_TRIAL__QUEUED_JOBS="1",
        DEFAULT_PLAN="gold-plus",
        SERVICES__SMTP__RATE_PER_MINUTE="30",
        SERVICES__SALES_API__AT_ONCE="2",
    )
    assert settings.plans["free"] == PLAN_TABLE["free"].model_copy(update={"pages_per_month": None})
    assert settings.plans["gold-plus"] == Plan(weight=8) and settings.plans["free-trial"] == Plan(queued_jobs=1)
    assert settings.services == {"smtp": ServiceLimits(rate_per_minute=30), "sales-api": ServiceLimits(at_once=2)}
    assert settings.queues[Queue.EMAIL_SENDER].rate_per_minute == 30


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PLANS__FRE__WEIGHT", "2", "names no plan; did you mean FREE?"),
        ("PLANS__FREE__SPEED", "2", "names no field of a plan; the fields are PRIORITY, WEIGHT, QUEUED_JOBS,"),
        ("PLANS__FREE__WEIGHT", "0", "is '0', but takes a number from 0.1 to 100."),
        ("PLANS__FREE__QUEUED_JOBS", "few", "is 'few', but takes a whole number from 1 to 10000000 or none."),
        ("PLANS__FREE__PRIORITY", "top", "is 'top', but takes high, normal or low."),
        ("PLANS__1__WEIGHT", "2", "has a bad name of a plan: letters, digits and single underscores"),
        ("DEFAULT_PLAN", "gold", "is 'gold', which is not a plan: there are free, standard, premium."),
        ("SERVICES__SMTP__RATE", "2", "names no field of a service; the fields are RATE_PER_MINUTE, AT_ONCE."),
        ("SERVICES__SMTP__AT_ONCE", "-1", "is '-1', but takes a whole number from 0 to 10000."),
    ],
)
def test_a_bad_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        read(monkeypatch, tmp_path, **{name: value})
    assert str(stop.value).startswith(f"OFFLOAD_{name} {sentence}")


def test_the_priority_is_bounded_from_above_alone() -> None:
    limits = Limits("free", Plan(priority="normal"))
    assert [limits.priority(wanted) for wanted in ("high", "normal", "low")] == ["normal", "normal", "low"]


def test_a_refusal_names_the_plan_or_the_limit_of_its_own() -> None:
    plan = Plan(mails_per_hour=1000)
    assert Limits("free", plan).allows("mails_per_hour") == "Your plan free allows 1,000 mails an hour"
    own = Limits("free", plan, frozenset({"mails_per_hour"}))
    assert own.allows("mails_per_hour") == "Your own limit (plan free) allows 1,000 mails an hour"
