"""From what a client asked for to what is exported: everything checked, nothing yet read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.exports.columns import Column
from tasks.exports.conditions import AnyOf, Condition
from tasks.exports.dataset import Dataset, Readers, reads_everything
from tasks.exports.datasets import DATASETS
from tasks.exports.filters import FilterError
from tasks.sdk import Refused


@dataclass(frozen=True)
class Selection:
    """Columns and rows of a dataset. `owner` is None where every owner's rows are meant."""

    dataset: Dataset
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    owner: str | None


def select(dataset: str, params: Mapping[str, Any], columns: Sequence[str] | None, owner: str) -> Selection:
    """The selection of `owner`. Raises Refused (400), naming what exists where something does not."""
    found = DATASETS.get(dataset)
    if found is None:
        raise Refused(f"There is no dataset {dataset[:60]!r}: there are {_listed(DATASETS)}.", field="dataset")
    rows_of = owner if found.readers is Readers.OWNER and not reads_everything(owner) else None
    conditions = _conditions(found, params)
    if rows_of is not None:
        conditions.append(AnyOf(found.owner, (rows_of,)))
    return Selection(found, _columns(found, columns), tuple(conditions), rows_of)


def _conditions(dataset: Dataset, params: Mapping[str, Any]) -> list[Condition]:
    conditions: list[Condition] = []
    for name, given in params.items():
        field = f"query_params.{name[:60]}"
        if name not in dataset.filters:
            known = _listed(dataset.filters)
            raise Refused(f"{dataset.name} has no filter {name[:60]!r}: there are {known}.", field=field)
        try:
            conditions += dataset.filters[name].read(given)
        except FilterError as error:
            raise Refused(f"The filter {name} {error}.", field=field) from None
    return conditions


def _columns(dataset: Dataset, names: Sequence[str] | None) -> tuple[Column, ...]:
    if names is None:
        return dataset.columns
    by_name = {column.name: column for column in dataset.columns}
    if not names:
        raise Refused("columns names none: leave it out for all of them.", field="columns")
    for name in names:
        if name not in by_name:
            known = _listed(by_name)
            raise Refused(f"{dataset.name} has no column {name[:60]!r}: there are {known}.", field="columns")
    if len(set(names)) < len(names):
        raise Refused("columns names a column twice.", field="columns")
    return tuple(by_name[name] for name in names)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
