"""Terms of a query as they are written: `key:value`, `-key:value`, `key:"two words",other`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ITEM = r'"(?:[^"\\]|\\.)*"|[^\s,"]+'
WORD = re.compile(rf'(-?)([A-Za-z_]+):((?:{ITEM})(?:,(?:{ITEM}))*)(?=\s|$)|"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)')
"""A term with its sign, key and values; or quoted words; or one bare word."""

VALUE = re.compile(ITEM)
ESCAPED = re.compile(r"\\(.)")
PLAIN_VALUE = re.compile(r'[^\s,"]+')


@dataclass(frozen=True)
class Term:
    """One condition: the job has one of `values` under `key`, or, negated, none of them."""

    key: str
    values: tuple[str, ...]
    negated: bool = False

    @property
    def value(self) -> str:
        """The values as they are written."""
        return ",".join(quoted(value) for value in self.values)

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.key}:{self.value}"


def as_text(terms: Iterable[Term]) -> str:
    """The terms as a query. `parse` reads the same terms from it."""
    return " ".join(map(str, terms))


def quoted(value: str) -> str:
    """A value as it is written: in quotes where it has blanks, commas or quotes, or is empty."""
    if PLAIN_VALUE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def values_of(written: str) -> tuple[str, ...]:
    """The values of `key:…`, without quotes, each once, in the order in which they are written."""
    found = (unquoted(one) for one in VALUE.findall(written))
    return tuple(dict.fromkeys(value for value in found if value))


def unquoted(item: str) -> str:
    """An item without its quotes, and without blanks at its ends."""
    return (ESCAPED.sub(r"\1", item[1:-1]) if item.startswith('"') else item).strip()
