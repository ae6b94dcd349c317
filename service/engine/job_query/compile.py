"""The filter of the store that a query means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from service.engine.job_query.keys import search_keys
from service.engine.job_query.terms import Term
from service.engine.job_query.values import read_length, read_moment, read_number
from service.engine.store.conditions import Condition, ErrorText, NumberIn, OneOf, Range, Took, Waited
from service.engine.store.job_filter import JobFilter, index_of_cause, indexes_of
from service.engine.store.list_conditions import AttemptedBy, ListCondition, LogText

MatchingFiles = Mapping[str, Sequence[str]]
"""Ids of the documents whose names hold a text, by the text."""

FIELDS = {"state": "state", "queue": "queue", "task": "type", "owner": "owner", "priority": "priority"}
"""Keys that a field of the record answers, and the field."""

INDEXED = ("state", "queue", "task", "owner")
"""Keys that have an index of their own."""

MOMENTS = {"created": "created_ms", "started": "started_ms", "finished": "finished_ms"}

NOWHERE = indexes_of("file_id", "")[-1]
"""An index that no job stands in: a name that no document has is looked for in vain, and not left out."""


def job_filter(
    terms: Iterable[Term], now_ms: int, *, owner: str | None = None, files: MatchingFiles | None = None
) -> JobFilter:
    """The filter. Relative times count from `now_ms`; `owner` bounds it to one owner's jobs, whatever the terms say; `files`
    must have the texts of every `file:` term. Raises ValueError for a term that `parse` would not let through.
    """
    named: dict[str, Any] = {"owner": owner} if owner is not None else {}
    created: list[Range] = []
    conditions: list[Condition] = []
    lists: list[ListCondition] = []
    groups: list[tuple[str, ...]] = []
    unless: list[str] = []
    for term in terms:
        indexes = _indexes(term, files or {})
        if indexes is not None and term.negated:
            unless += indexes
        elif indexes is not None:
            groups.append(tuple(indexes))
        elif term.key in INDEXED and _single(term) and FIELDS[term.key] not in named:
            named[FIELDS[term.key]] = term.values[0]
        elif term.key == "created" and _single(term):
            created.append(read_moment(term.values[0], now_ms))
        elif term.key in LISTS:
            lists.append(LISTS[term.key](term.negated, term.values))
        else:
            conditions.append(_condition(term, now_ms))
    return JobFilter(
        **named,
        groups=tuple(groups),
        unless=tuple(unless),
        created=_span(created),
        conditions=tuple(conditions),
        lists=tuple(lists),
    )


LISTS: dict[str, Callable[[bool, tuple[str, ...]], ListCondition]] = {"log": LogText, "worker": AttemptedBy}


def _single(term: Term) -> bool:
    return len(term.values) == 1 and not term.negated


def _indexes(term: Term, files: MatchingFiles) -> list[str] | None:
    """The indexes in one of which a job stands that has the term's values; None where indexes do not know."""
    if term.key == "file":
        return [index for text in term.values for one in files[text] for index in indexes_of("file_id", one)] or [
            NOWHERE
        ]
    if term.key == "fingerprint":
        return [index_of_cause(value) for value in term.values]
    if term.key in search_keys() and term.key not in FIELDS:
        return [index for value in term.values for index in indexes_of(term.key, value)]
    return None


def _condition(term: Term, now_ms: int) -> Condition:
    if term.key in FIELDS:
        return OneOf(term.negated, FIELDS[term.key], term.values)
    if term.key == "error":
        return ErrorText(term.negated, term.values)
    if term.key in MOMENTS:
        return NumberIn(term.negated, MOMENTS[term.key], tuple(read_moment(one, now_ms) for one in term.values))
    if term.key == "attempt":
        return NumberIn(term.negated, "attempt", tuple(map(read_number, term.values)))
    lengths = tuple(map(read_length, term.values))
    return Took(term.negated, lengths, now_ms) if term.key == "took" else Waited(term.negated, lengths, now_ms)


def _span(ranges: Sequence[Range]) -> tuple[int | None, int | None]:
    """The stamps (µs) that lie in all the ranges."""
    begins = [one.begin for one in ranges if one.begin is not None]
    ends = [one.end for one in ranges if one.end is not None]
    return (max(begins) * 1000 if begins else None, min(ends) * 1000 if ends else None)
