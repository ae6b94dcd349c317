"""Columns of an export. Imported by the child that writes the file, and therefore nothing but this."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kind of a column: how its values are read from the database and written to a file."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    """true or false"""
    MOMENT = "moment"
    """A point in time: ISO 8601 in UTC in CSV, a real date with its format in XLSX."""


@dataclass(frozen=True)
class Column:
    """One column. `source` is the SQL it is read from, where that is not its own name; `width` in characters.

    What is `personal` is masked wherever a viewer looks at the dashboard.
    """

    name: str
    kind: Kind = Kind.TEXT
    source: str = ""
    width: float = 0
    personal: bool = False

    @property
    def sql(self) -> str:
        return self.source or self.name
