"""Limits of a job type over keys: how many jobs that share a payload field's value run at a time, or begin within a period."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

PERIODS_MS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}

STARTS_MAX = 10_000
"""Starts within a period at most: each key keeps their times, some 80 KB for as many."""

OWNER = "owner"
"""Field that stands for the owner of a job where the payload has none of that name."""

PLAIN = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
"""Values that stand in a key as they are. Of all others (long ones, objects, lists) their hash does."""


class KeyLimit(NamedTuple):
    """Bounds over jobs of one type that share the value of `field`; 0 for no bound."""

    field: str
    at_once: int = 0
    starts: int = 0
    period_ms: int = 0


Rate = tuple[int, str]
"""Number of starts and the period that they fall into: second, minute, hour or day."""


def key_limits(
    fields: Sequence[str], limit: Mapping[str, int], one_at_a_time: str | Sequence[str], rate: Mapping[str, Rate]
) -> tuple[KeyLimit, ...]:
    """The limits that a job type declares over its payload's `fields`. Raises ValueError, with a sentence that names the
    part that makes no sense."""
    single = (one_at_a_time,) if isinstance(one_at_a_time, str) and one_at_a_time else tuple(one_at_a_time)
    for field in {*limit, *single, *rate}:
        if field != OWNER and field not in fields:
            known = ", ".join([*fields, *([] if OWNER in fields else [OWNER])])
            raise ValueError(f"limits are over fields of the payload, and it has no {field!r}: there are {known}")
    for field in single:
        if field in limit:
            raise ValueError(f"{field} is in one_at_a_time and in limit: one of them says how many run at a time")
    for field, number in limit.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"limit of {field} is a number of jobs from 1, not {number!r}")
    at_once = dict.fromkeys(single, 1) | dict(limit)
    rates = {field: _rate(field, value) for field, value in rate.items()}
    ordered = [field for field in (OWNER, *fields) if field in at_once or field in rates]
    return tuple(KeyLimit(name, at_once.get(name, 0), *rates.get(name, (0, 0))) for name in dict.fromkeys(ordered))


def _rate(field: str, value: Any) -> tuple[int, int]:
    words = f'rate of {field} is (number, period), such as (60, "minute")'
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{words}, not {value!r}")
    starts, period = value
    if isinstance(starts, bool) or not isinstance(starts, int) or not 1 <= starts <= STARTS_MAX:
        raise ValueError(f"{words} with a number from 1 to {STARTS_MAX:,}, not {starts!r}")
    if period not in PERIODS_MS:
        raise ValueError(f"{words} with a period of {', '.join(PERIODS_MS)}, not {period!r}")
    return starts, PERIODS_MS[period]


def keys_of(type_name: str, limits: Sequence[KeyLimit], payload: Any, owner: str, personal: frozenset[str]) -> str:
    """The keys of a job and their bounds, as its record keeps them. A field that is None bounds nothing.

    A limit whose field the payload lacks is by `owner`. Values of `personal` fields are hashed, since keys are shown.
    """
    words = []
    for one in limits:
        value = getattr(payload, one.field, None) if one.field in payload.__struct_fields__ else owner
        if value is not None:
            key = f"{type_name}:{one.field}:{key_value(value, hide=one.field in personal)}"
            words.append(f"{key}|{one.at_once}|{one.starts}|{one.period_ms}")
    return " ".join(words)


def key_value(value: Any, *, hide: bool = False) -> str:
    """A value as it stands in a key: short plain text and numbers as they are, anything else, and what is to be hidden, by
    its hash. Equal values have equal text."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, order="deterministic").decode()
    if PLAIN.fullmatch(text) and not hide:
        return text
    return "sha256-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
