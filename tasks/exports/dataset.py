"""A dataset: rows that can be exported, declared in one file of tasks/exports/datasets/."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tasks.exports.columns import Column
from tasks.exports.filters import Filter


class Readers(StrEnum):
    """Readers of a dataset."""

    OWNER = "owner"
    """Everybody, but only rows of their own; operators at the dashboard and schedules read them all."""
    EVERY_KEY = "every-key"
    """Every holder of an API key, all rows: they belong to the installation and not to one owner."""


class Keeper(StrEnum):
    """Table of the rows."""

    DATABASE = "database"
    QUEUE = "queue"
    """With the queue's state: they are first copied, as a table, next to the file that is written."""


@dataclass(frozen=True)
class Dataset:
    """Rows of `table` (SQL: a table, or several joined) in the order of `order` (SQL), which must be a total one.

    `owner` is the SQL column that names a row's owner, where `readers` asks for it.
    """

    name: str
    title: str
    """Name of its sheets; at most 25 characters, so that a number fits behind it."""
    table: str
    columns: tuple[Column, ...]
    filters: Mapping[str, Filter]
    order: tuple[str, ...]
    readers: Readers
    owner: str = ""
    keeper: Keeper = Keeper.DATABASE
    """Keeper of the rows."""

    def __post_init__(self) -> None:
        if (self.readers is Readers.OWNER) != bool(self.owner):
            raise ValueError(f"dataset {self.name}: an owner's column goes with rows that are an owner's")


def reads_everything(owner: str) -> bool:
    """True for the installation's own: dashboard:<name> and schedule:<name>. An API key's owner has no colon."""
    return ":" in owner
