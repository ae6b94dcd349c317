"""Filters of an export as lines of a form, one filter per line, in place of JSON: `status: failed`, `created_at.from: 2026-01-31`.

JSON is taken too: an object begins with a brace.
"""

import json
from collections.abc import Mapping
from typing import Any

from tasks.exports.columns import Kind
from tasks.exports.datasets import DATASETS
from tasks.exports.filters import Between, Filter, Flag, Match

ENDS = ("from", "to")
"""The two ends of a range, as `name.from` and `name.to`."""

WORDS = {"true": True, "yes": True, "false": False, "no": False}


def to_params(text: str, dataset: str) -> Any:
    """The parameters that the lines mean, each value in the kind of its filter. What no filter explains stays text, for the
    decoder or the dataset to name.
    """
    if text.lstrip().startswith("{"):
        return _json(text)
    filters = DATASETS[dataset].filters if dataset in DATASETS else {}
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            return text
        whole, _, end = name.rpartition(".")
        if end in ENDS and whole:
            ends = found.setdefault(whole, {})
            if isinstance(ends, dict):
                ends[end] = _value(value, filters.get(whole))
        else:
            found[name] = _value(value, filters.get(name))
    return found


def to_lines(params: Mapping[str, Any]) -> str:
    """The lines that mean these parameters; JSON where a value has no line that means it: one with a comma or a line end."""
    lines = []
    for name, value in params.items():
        if isinstance(value, dict) and value and set(value) <= set(ENDS):
            lines += [f"{name}.{end}: {_word(one)}" for end, one in value.items()]
        else:
            lines.append(f"{name}: {', '.join(map(_word, value)) if isinstance(value, list) else _word(value)}")
    texts = [one for value in params.values() for one in (value if isinstance(value, list) else [value])]
    if any(isinstance(one, str) and any(mark in one for mark in ",\n") for one in texts):
        return json.dumps(dict(params))
    return "\n".join(lines)


def hints() -> dict[str, list[str]]:
    """The names that lines may begin with, by dataset."""
    return {
        name: [
            written
            for filter_name, one in dataset.filters.items()
            for written in ([f"{filter_name}.{end}" for end in ENDS] if isinstance(one, Between) else [filter_name])
        ]
        for name, dataset in DATASETS.items()
    }


def _value(text: str, wanted: Filter | None) -> Any:
    if isinstance(wanted, Flag):
        return WORDS.get(text.lower(), text)
    if isinstance(wanted, Between):
        return _json(text) if wanted.kind in (Kind.INTEGER, Kind.NUMBER) else text
    if isinstance(wanted, Match):
        read = [_json(one) if wanted.kind is not Kind.TEXT else one for one in map(str.strip, text.split(",")) if one]
        return read[0] if len(read) == 1 else read
    return text


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
