"""Conditions that no index answers: each is held against the few fields of a record that it is about."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.engine.states import TERMINAL

Fields = Mapping[str, str]
"""Fields of a record's hash, as text; those that it has not are left out."""


class Range(NamedTuple):
    """Values from `begin` on and before `end`; None for no bound."""

    begin: int | None
    end: int | None

    def holds(self, value: int) -> bool:
        return (self.begin is None or value >= self.begin) and (self.end is None or value < self.end)


@dataclass(frozen=True)
class Condition(ABC):
    """A condition on a record. A negated one holds where it would not."""

    negated: bool

    @property
    @abstractmethod
    def fields(self) -> Sequence[str]:
        """Names of the fields that it is about."""

    @abstractmethod
    def met(self, fields: Fields) -> bool:
        """True where the fields are as the condition says, without its sign."""

    def holds(self, fields: Fields) -> bool:
        """True where the record fits."""
        return self.met(fields) != self.negated


@dataclass(frozen=True)
class OneOf(Condition):
    """The field has one of the values."""

    name: str
    values: tuple[str, ...]

    @property
    def fields(self) -> Sequence[str]:
        return (self.name,)

    def met(self, fields: Fields) -> bool:
        return fields.get(self.name, "") in self.values


@dataclass(frozen=True)
class ErrorText(Condition):
    """One of the texts stands in the error or in its kind, in capitals or not."""

    texts: tuple[str, ...]

    @property
    def fields(self) -> Sequence[str]:
        return ("error", "error_type")

    def met(self, fields: Fields) -> bool:
        error = f"{fields.get('error_type', '')}: {fields.get('error', '')}".casefold()
        return any(text.casefold() in error for text in self.texts)


@dataclass(frozen=True)
class NumberIn(Condition):
    """The field is a number in one of the ranges; a field that is not there is in none."""

    name: str
    ranges: tuple[Range, ...]

    @property
    def fields(self) -> Sequence[str]:
        return (self.name,)

    def met(self, fields: Fields) -> bool:
        return _within(self.ranges, _number(fields, self.name))


@dataclass(frozen=True)
class Took(Condition):
    """Time in ms from the start of the last attempt to its end, or to `now_ms` while it runs, is in one of the ranges."""

    ranges: tuple[Range, ...]
    now_ms: int

    @property
    def fields(self) -> Sequence[str]:
        return ("state", "started_ms", "finished_ms")

    def met(self, fields: Fields) -> bool:
        begun = _number(fields, "started_ms")
        if not begun:
            return False
        ended = _number(fields, "finished_ms") if fields.get("state") in TERMINAL else None
        running = self.now_ms if fields.get("state") == "active" else None
        end = ended or running
        return end is not None and _within(self.ranges, max(0, end - begun))


@dataclass(frozen=True)
class Waited(Condition):
    """Time in ms from when a job could begin (its creation, or the time that it was asked for) to its first start, or to
    `now_ms` or its end without one, is in one of the ranges."""

    ranges: tuple[Range, ...]
    now_ms: int

    @property
    def fields(self) -> Sequence[str]:
        return ("state", "created_ms", "due_ms", "first_started_ms", "finished_ms")

    def met(self, fields: Fields) -> bool:
        begun = _number(fields, "first_started_ms")
        ended = _number(fields, "finished_ms") if fields.get("state") in TERMINAL else None
        if begun is None and ended is None and fields.get("state") == "scheduled":
            # It does not wait yet: its time has not come.
            return False
        until = begun or ended or self.now_ms
        since = _number(fields, "created_ms") or until
        due = _number(fields, "due_ms")
        # A time that was asked for: what lies before it is not a wait. A later one is that of a retry.
        if due is not None and since < due <= until:
            since = due
        return _within(self.ranges, max(0, until - since))


def _within(ranges: Sequence[Range], value: int | None) -> bool:
    return value is not None and any(one.holds(value) for one in ranges)


def _number(fields: Fields, name: str) -> int | None:
    value = fields.get(name)
    return int(float(value)) if value else None
