"""Plans of owners: what an owner may use. An operator overrides a field with OFFLOAD_PLANS__<PLAN>__<FIELD>, or adds a plan.

Which owner has which plan, and limits of its own, are rows of the database (service/database/owners.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from settings.urls import Explained

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_MAX = 40


def _none_in_words(given: Any) -> Any:
    return None if isinstance(given, str) and given.strip().lower() == "none" else given


Limit = Annotated[int | None, BeforeValidator(_none_in_words)]


class Plan(BaseModel):
    """Limits of an owner; None means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: Priority = Field(default="high", description="high, normal or low")
    """The highest that its jobs may have: a request for a higher one is queued at this."""

    weight: float = Field(default=1.0, ge=0.1, le=100)
    """Share of a busy queue relative to other owners: with 2, two of its jobs run for each one of an owner with 1."""

    queued_jobs: Limit = Field(default=None, ge=1, le=10_000_000)
    """Waiting jobs over all queues, besides each queue's own OWNER_LIMIT."""

    requests_per_minute: Limit = Field(default=None, ge=1, le=1_000_000)
    """API requests: so many at once, and so many a minute from then on."""

    stored_bytes: Limit = Field(default=None, ge=1, le=1_000_000_000_000_000)
    """Bytes of the documents that are kept."""

    pages_per_month: Limit = Field(default=None, ge=1, le=1_000_000_000)
    """Pages of documents uploaded in a calendar month (UTC); deleting a document gives none back."""

    mails_per_hour: Limit = Field(default=None, ge=1, le=10_000_000)
    """Messages asked for: so many at once, and so many an hour from then on."""


PLAN_TABLE: Mapping[str, Plan] = {
    "free": Plan(
        priority="normal",
        weight=0.5,
        queued_jobs=100,
        requests_per_minute=120,
        stored_bytes=1_000_000_000,
        pages_per_month=1_000,
        mails_per_hour=100,
    ),
    # The default plan: an installation that configures nothing has no limits but those of the queues.
    "standard": Plan(),
    "premium": Plan(weight=4.0),
}

WORDS: Mapping[str, tuple[str, str]] = {
    "queued_jobs": ("waiting job", "waiting jobs"),
    "requests_per_minute": ("request a minute", "requests a minute"),
    "stored_bytes": ("stored byte", "stored bytes"),
    "pages_per_month": ("page a month", "pages a month"),
    "mails_per_hour": ("mail an hour", "mails an hour"),
}
"""Limits by field, as a client and an operator read them: of one, and of more."""


@dataclass(frozen=True)
class Limits:
    """Limits that hold for one owner: those of its plan, with its own in their place."""

    plan: str
    values: Plan
    own: frozenset[str] = frozenset()
    """Fields that are the owner's own."""

    def allows(self, field: str) -> str:
        """Beginning of a sentence that refuses what is over, such as `The plan free allows 100 waiting jobs`."""
        source = f"Your own limit (plan {self.plan})" if field in self.own else f"Your plan {self.plan}"
        limit, (one, more) = getattr(self.values, field), WORDS[field]
        kind = one if limit == 1 else more
        return f"{source} allows {limit:,} {kind}"

    def priority(self, wanted: str) -> str:
        """Priority that a job gets which asks for one."""
        order: tuple[str, ...] = PRIORITIES
        return max(wanted, self.values.priority, key=order.index)


NO_LIMITS = Limits("standard", Plan())
"""For parts that run without plans."""


def merged_plans(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The table with the overridden fields of {plan name: {field: value}} put over it, still to be validated."""
    table: dict[str, Any] = dict(PLAN_TABLE)
    for given, fields in overrides.items():
        name = given.lower().replace("_", "-")
        if isinstance(fields, Plan):
            table[name] = fields
        else:
            before = table[name].model_dump() if name in table else {}
            table[name] = before | {field.lower(): value for field, value in fields.items()}
    return table


class Plans(BaseModel):
    """Plans by name, and the one of owners to whom none was given."""

    model_config = ConfigDict(frozen=True)

    plans: dict[str, Plan] = Field(default_factory=lambda: dict(PLAN_TABLE))

    default_plan: str = Field(default="standard", description="the name of a plan")
    """`standard` has no limits but those of the queues, as an installation that knows no plans."""

    @field_validator("plans", mode="before")
    @classmethod
    def _merge_plans(cls, given: Any) -> Any:
        return merged_plans(given)

    @field_validator("default_plan")
    @classmethod
    def _default_exists(cls, name: str, info: ValidationInfo) -> str:
        plans = info.data.get("plans", {name: None})
        if name not in plans:
            raise Explained(f"is '{name[:NAME_MAX]}', which is not a plan: there are {', '.join(plans)}")
        return name
