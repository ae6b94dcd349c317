"""Typed filters: each reads the value that a client gave, and answers conditions or says what is wrong with it."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tasks.exports.columns import Kind
from tasks.exports.conditions import AnyOf, AtLeast, Below, Condition, Contains, Value

LIST_MAX = 1_000
"""Values a list may have: with room to spare under the 32,766 parameters of an SQLite statement."""

SEARCH_MAX = 200
"""Characters of a search: longer ones are a paste gone wrong."""

INTEGER_MAX = 2**63 - 1


class FilterError(ValueError):
    """A filter's value that cannot be used. The message follows the filter's name: "wants …"."""


@dataclass(frozen=True)
class Match:
    """Equality with a value, or with any of a list of values."""

    column: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()

    def read(self, given: Any) -> list[Condition]:
        values = given if isinstance(given, list) else [given]
        if not 1 <= len(values) <= LIST_MAX:
            raise FilterError(f"wants a value or a list of 1 to {LIST_MAX:,} values, not {len(values):,}")
        return [AnyOf(self.column, tuple(self._value(value) for value in values))]

    def _value(self, given: Any) -> Value:
        value = scalar(given, self.kind)
        if self.choices and value not in self.choices:
            raise FilterError(f"wants one of {', '.join(self.choices)}, not {shown(given)}")
        return value


@dataclass(frozen=True)
class Between:
    """A range {"from": …, "to": …} of which either end may be left out.

    Numbers include both ends. Moments include `from` and exclude `to`; a `to` that is a bare day includes that day.
    """

    column: str
    kind: Kind = Kind.MOMENT

    def read(self, given: Any) -> list[Condition]:
        if not isinstance(given, dict) or not given or not set(given) <= {"from", "to"}:
            raise FilterError('wants {"from": …, "to": …} or one of the two')
        low = self._bound(given["from"]) if "from" in given else None
        high = self._bound(given["to"], last=True) if "to" in given else None
        if low is not None and high is not None and high <= low:  # type: ignore[operator]  # both are of one kind
            order = "where" if given["to"] == given["from"] else "before"
            raise FilterError(f"ends ({shown(given['to'])}) {order} it starts ({shown(given['from'])})")
        conditions: list[Condition] = []
        if low is not None:
            conditions.append(AtLeast(self.column, low))
        if high is not None:
            conditions.append(Below(self.column, high))
        return conditions

    def _bound(self, given: Any, *, last: bool = False) -> Value:
        if self.kind is Kind.MOMENT:
            return moment(given, end_of_day=last)
        value = scalar(given, self.kind)
        if not last:
            return value
        # The end is included: the next number up is the first that is not.
        return value + 1 if isinstance(value, int) else math.nextafter(float(value), math.inf)  # type: ignore[arg-type]  # a scalar is a number here: no other kind has bounds


@dataclass(frozen=True)
class Flag:
    """true or false."""

    column: str

    def read(self, given: Any) -> list[Condition]:
        return [AnyOf(self.column, (scalar(given, Kind.FLAG),))]


@dataclass(frozen=True)
class Search:
    """A piece of text in any of the columns."""

    columns: tuple[str, ...]

    def read(self, given: Any) -> list[Condition]:
        text = scalar(given, Kind.TEXT)
        if not isinstance(text, str) or not 1 <= len(text) <= SEARCH_MAX:
            raise FilterError(f"wants 1 to {SEARCH_MAX} characters of text")
        return [Contains(self.columns, text)]


Filter = Match | Between | Flag | Search

WANTED = {Kind.TEXT: "text", Kind.INTEGER: "a whole number", Kind.NUMBER: "a number", Kind.FLAG: "true or false"}


def scalar(given: Any, kind: Kind) -> Value:
    """The value, if it is of the kind. JSON's own types are taken at their word: no "1" for 1."""
    if kind is Kind.TEXT and isinstance(given, str):
        if "\0" in given:
            raise FilterError("holds a NUL character, which no stored text does")
        return given
    if kind is Kind.FLAG and isinstance(given, bool):
        return given
    if kind is Kind.INTEGER and isinstance(given, int) and not isinstance(given, bool) and abs(given) < INTEGER_MAX:
        return given
    if kind is Kind.NUMBER and isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    raise FilterError(f"wants {WANTED[kind]}, not {shown(given)}")


def moment(given: Any, *, end_of_day: bool = False) -> datetime:
    """A moment in UTC from RFC 3339 text with a zone, or from a bare day, which means its first moment in UTC or,
    with `end_of_day`, the first moment after it."""
    try:
        if not isinstance(given, str):
            raise ValueError
        if len(given) == len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(given), datetime.min.time(), UTC)
            return day + timedelta(days=1) if end_of_day else day
        value = datetime.fromisoformat(given)
        if value.tzinfo is None:
            raise FilterError(f"wants a time zone with its time, such as {value.isoformat()}Z, not {shown(given)}")
        return value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, FilterError):
            raise
        raise FilterError(f"wants a day (2026-01-31) or a time (2026-01-31T08:00:00Z), not {shown(given)}") from None


def shown(given: Any) -> str:
    """The value as a sentence quotes it, never more than a line's worth."""
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."
