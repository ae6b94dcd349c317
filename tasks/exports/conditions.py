"""Conditions of filters: each a condition on rows, not yet in any database's SQL."""

from dataclasses import dataclass
from datetime import datetime

Value = str | int | float | bool | datetime


@dataclass(frozen=True)
class AnyOf:
    """The column is one of the values."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class AtLeast:
    """The column is the bound or more."""

    column: str
    bound: Value


@dataclass(frozen=True)
class Below:
    """The column is less than the bound."""

    column: str
    bound: Value


@dataclass(frozen=True)
class Contains:
    """One of the columns contains the text, whatever the case of its letters."""

    columns: tuple[str, ...]
    text: str


Condition = AnyOf | AtLeast | Below | Contains
