"""Faults of the environment, in sentences: the variable, what it was given, what it takes."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from settings.queues import Queue, QueueSettings
from settings.urls import Explained

QUEUES = "QUEUES__"
SHOWN = 80
"""Characters of a bad value that are shown: enough to recognise it."""


def variables(model: type[BaseModel], prefix: str) -> dict[str, FieldInfo]:
    """Every variable but those of the queues, with the field it sets."""
    named = {
        str(field.validation_alias or f"{prefix}{name.upper()}"): field for name, field in model.model_fields.items()
    }
    del named[f"{prefix}QUEUES"]
    return named


def unknown_variables(model: type[BaseModel], prefix: str, environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable with our prefix that sets nothing: a typing error must not pass for a setting."""
    known = variables(model, prefix)
    return [
        sentence
        for name in sorted(environment)
        if name.upper().startswith(prefix) and name.upper() not in known
        for sentence in _unknown(name.upper(), known, prefix)
    ]


def _unknown(name: str, known: Mapping[str, FieldInfo], prefix: str) -> Iterator[str]:
    queues = [queue.upper().replace("-", "_") for queue in Queue]
    fields = [field.upper() for field in QueueSettings.model_fields]
    if not name.startswith(f"{prefix}{QUEUES}"):
        short = [variable.removeprefix(prefix) for variable in known]
        near = get_close_matches(name.removeprefix(prefix), short, n=1)
        every = f"the settings are {', '.join(short)} and {QUEUES}<QUEUE_NAME>__<FIELD>, each with {prefix} before it."
        hint = f"did you mean {prefix}{near[0]}?" if near else every
        yield f"{name} is not a setting; {hint}"
        return
    queue, _, field = name.removeprefix(f"{prefix}{QUEUES}").partition("__")
    if queue not in queues:
        yield f"{name} names no queue; the queues are {', '.join(queues)}."
    elif field not in fields:
        yield f"{name} names no field of a queue; the fields are {', '.join(fields)}."


def sentences(model: type[BaseModel], prefix: str, environment: Mapping[str, str], error: ValidationError) -> list[str]:
    """A sentence for each variable that pydantic found bad."""
    by_upper_name = {name.upper(): value for name, value in environment.items()}
    known = variables(model, prefix)
    said: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        location = [str(part) for part in problem["loc"]]
        if problem["type"] == "default_factory_not_called":
            continue  # it only follows from another variable's error
        if location[0] == "queues" and len(location) > 2:
            variable = f"{prefix}{QUEUES}{location[1].upper().replace('-', '_')}__{location[2].upper()}"
            field = QueueSettings.model_fields[location[2]]
        else:
            variable = location[0] if location[0].startswith(prefix) else f"{prefix}{location[0].upper()}"
            field = known[variable]
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, Explained):
            said[variable] = f"{variable} {cause}."
            continue
        given = by_upper_name.get(variable, str(problem.get("input", "")))
        said[variable] = f"{variable} is {_shown(given, field)}, but takes {takes(field)}."
    return list(said.values())


def takes(field: FieldInfo) -> str:
    """Accepted values of a field: its own description, else its type and bounds in words."""
    if field.description:
        return field.description
    optional = " or none" if type(None) in getattr(field.annotation, "__args__", ()) else ""
    kind = "a whole number" if field.annotation is int else "a number"
    low = next((f"from {bound.ge}" for bound in field.metadata if isinstance(bound, Ge)), "")
    low = low or next((f"above {bound.gt}" for bound in field.metadata if isinstance(bound, Gt)), "")
    high = next((f"to {bound.le}" for bound in field.metadata if isinstance(bound, Le)), "upwards")
    return f"{kind} {low} {high}{optional}"


def _shown(given: Any, field: FieldInfo) -> str:
    """The value as given, its secrets masked and its length bounded."""
    text = str(given)
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret"):
        return f"'{masked(text)}'"
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"


def masked(text: str) -> str:
    """Only what cannot be secret: the scheme of a URL, and the first word of each entry of a list.

    Not even a host is shown: in a URL with a mistake in it, a password may stand anywhere.
    """
    scheme = re.match(r"[a-z0-9+]+://", text)
    if scheme:
        return f"{scheme.group()}•••"
    return ",".join(f"{entry.partition(':')[0][:20]}:•••" if ":" in entry else "•••" for entry in text.split(","))
