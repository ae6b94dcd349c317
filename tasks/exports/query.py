"""A selection as SQL: one statement that counts and one that reads, with every value a parameter.

Names of tables and columns come from the declarations only; nothing that a client sent becomes part of a statement.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.exports.conditions import AnyOf, AtLeast, Below, Condition, Contains
from tasks.exports.selection import Selection
from tasks.exports.source import Query
from tasks.exports.text_search import any_case

POSTGRES_TYPES = {str: "text", int: "bigint", float: "double precision", bool: "boolean", datetime: "timestamptz"}


@dataclass
class _Parameters:
    """Collects values and gives out the placeholders that stand for them in the dialect."""

    postgres: bool
    values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> str:
        if not self.postgres and isinstance(value, datetime):
            # As SQLAlchemy stores a moment in SQLite, whose text sorts as the moments do.
            value = sqlite_moment(value)
        self.values.append(value)
        # The cast names the value's type: left to guess, PostgreSQL takes the column's, which may be too narrow.
        return f"${len(self.values)}::{POSTGRES_TYPES[type(value)]}" if self.postgres else "?"


def to_query(selection: Selection, *, postgres: bool, limit: int | None = None) -> Query:
    """The selection in PostgreSQL's or in SQLite's SQL. With `limit` the count stops there."""
    dataset = selection.dataset
    parameters = _Parameters(postgres)
    conditions = [_condition(condition, parameters) for condition in selection.conditions]
    rows = f"FROM {dataset.table}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
    columns = ", ".join(column.sql for column in selection.columns)
    counted = f"SELECT count(*) {rows}"
    if limit is not None:
        counted = f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {limit:d}) AS matching"
    return Query(counted, f"SELECT {columns} {rows} ORDER BY {', '.join(dataset.order)}", tuple(parameters.values))


def _condition(condition: Condition, parameters: _Parameters) -> str:
    match condition:
        case AnyOf(column, values):
            placeholders = [parameters.add(value) for value in values]
            return f"{column} IN ({', '.join(placeholders)})"
        case AtLeast(column, bound):
            return f"{column} >= {parameters.add(bound)}"
        case Below(column, bound):
            return f"{column} < {parameters.add(bound)}"
        case Contains(columns, text):
            matches = "~" if parameters.postgres else "REGEXP"
            either = [f"{column} {matches} {parameters.add(any_case(text))}" for column in columns]
            return f"({' OR '.join(either)})"


def sqlite_moment(value: datetime) -> str:
    """YYYY-MM-DD HH:MM:SS.ffffff, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
