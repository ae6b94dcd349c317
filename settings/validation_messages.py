"""Faults of the environment, in sentences: the variable, what it was given, what it takes."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from settings.plans import PLAN_TABLE, Plan
from settings.queues import Queue, QueueSettings
from settings.services import ServiceLimits
from settings.urls import Explained

TABLES: Mapping[str, type[BaseModel]] = {"QUEUES": QueueSettings, "PLANS": Plan, "SERVICES": ServiceLimits}
"""Settings that are tables: of their variables `<TABLE>__<NAME>__<FIELD>` each sets one field of one row."""

ROWS = {"QUEUES": "queue", "PLANS": "plan", "SERVICES": "service"}

ROW_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
ROW_MAX = 40

LIKE = 0.8
"""Likeness from which the name of a plan is taken for a typing error."""

SHOWN = 80
"""Characters of a bad value that are shown: enough to recognise it."""


def variables(model: type[BaseModel], prefix: str) -> dict[str, FieldInfo]:
    """Every variable but those of tables, with the field it sets."""
    named = {
        str(field.validation_alias or f"{prefix}{name.upper()}"): field for name, field in model.model_fields.items()
    }
    for table in TABLES:
        del named[f"{prefix}{table}"]
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
    table, _, rest = name.removeprefix(prefix).partition("__")
    if table not in TABLES or not rest:
        short = [variable.removeprefix(prefix) for variable in known]
        near = get_close_matches(name.removeprefix(prefix), short, n=1)
        tables = ", ".join(f"{one}__<{word.upper()}>__<FIELD>" for one, word in ROWS.items())
        every = f"the settings are {', '.join(short)} and {tables}, each with {prefix} before it."
        hint = f"did you mean {prefix}{near[0]}?" if near else every
        yield f"{name} is not a setting; {hint}"
        return
    row, _, field = rest.partition("__")
    fields = [one.upper() for one in TABLES[table].model_fields]
    if problem := _bad_row(table, row):
        yield f"{name} {problem}"
    elif field not in fields:
        yield f"{name} names no field of a {ROWS[table]}; the fields are {', '.join(fields)}."


def _bad_row(table: str, row: str) -> str | None:
    """Fault of a row's name. Plans and services may be added; queues are declared."""
    if table == "QUEUES":
        queues = [queue.upper().replace("-", "_") for queue in Queue]
        return None if row in queues else f"names no queue; the queues are {', '.join(queues)}."
    if not ROW_NAME.fullmatch(row) or len(row) > ROW_MAX:
        return (
            f"has a bad name of a {ROWS[table]}: letters, digits and single underscores, {ROW_MAX} characters at most."
        )
    ours = [plan.upper() for plan in PLAN_TABLE] if table == "PLANS" else []
    near = get_close_matches(row, ours, 1, LIKE) if row not in ours else []
    # `FREE_TRIAL` is a plan of the operator's own; `FRE` is a typing error, which must not pass for a setting.
    return f"names no plan; did you mean {near[0]}?" if near and not row.startswith(f"{near[0]}_") else None


def sentences(model: type[BaseModel], prefix: str, environment: Mapping[str, str], error: ValidationError) -> list[str]:
    """A sentence for each variable that pydantic found bad."""
    by_upper_name = {name.upper(): value for name, value in environment.items()}
    known = variables(model, prefix)
    messages: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        location = [str(part) for part in problem["loc"]]
        if problem["type"] == "default_factory_not_called":
            continue  # it only follows from another variable's error
        cause = problem.get("ctx", {}).get("error")
        if not location:
            messages[str(cause)] = f"{cause}."  # of several variables, which it names itself
            continue
        table = location[0].upper()
        if table in TABLES and len(location) > 2:
            variable = f"{prefix}{table}__{location[1].upper().replace('-', '_')}__{location[2].upper()}"
            field = TABLES[table].model_fields[location[2]]
        else:
            variable = location[0] if location[0].startswith(prefix) else f"{prefix}{location[0].upper()}"
            field = known[variable]
        if isinstance(cause, Explained):
            messages[variable] = f"{variable} {cause}."
            continue
        given = by_upper_name.get(variable, str(problem.get("input", "")))
        messages[variable] = f"{variable} is {_shown(given, field)}, but takes {takes(field)}."
    return list(messages.values())


def takes(field: FieldInfo) -> str:
    """Accepted values of a field: its own description, else its type and bounds in words."""
    if field.description:
        return field.description
    optional = " or none" if type(None) in getattr(field.annotation, "__args__", ()) else ""
    kind = "a whole number" if field.annotation in (int, int | None) else "a number"
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
