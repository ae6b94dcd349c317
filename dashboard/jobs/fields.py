"""A form out of a declaration: the fields of a job type's payload, and what was typed, turned into a request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import inspect

from dashboard.jobs.query_lines import to_lines, to_params
from service.submission import request_type
from tasks.sdk.types import JobType

Kind = Literal["text", "number", "choice", "switch", "list", "object", "moment"]

FILE_FIELDS = {"file_id": False, "document_ids": True}
"""Fields that name documents, for which a file may be uploaded instead; whether they name several."""


@dataclass(frozen=True)
class Field:
    """One field. `default` is what is there before anybody types; `choices` are for a choice, or a list of such."""

    name: str
    kind: Kind
    required: bool
    default: str
    choices: tuple[str, ...] = ()
    numbers: bool = False
    """True where a list is one of numbers."""

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()


FOR_PROGRAMS = {"unique_key", "unique_for_s", "debounce", "throttle", "replace", "rerun", "callback_url"}
"""Terms of a job that a person at a form has no use for: they are about requests that come again, and programs to call."""


def fields_of(job_type: JobType) -> list[Field]:
    """The form's fields, in the order of the declaration; priority and time at the end."""
    info = inspect.type_info(request_type(job_type))
    assert isinstance(info, inspect.StructType)
    return [_field(field) for field in info.fields if field.name not in FOR_PROGRAMS]


def takes_file(fields: list[Field]) -> Field | None:
    """The field that an uploaded file stands for."""
    return next((field for field in fields if field.name in FILE_FIELDS), None)


def to_request(fields: list[Field], typed: Mapping[str, str]) -> bytes:
    """The JSON that a client would have sent. What is not a number or not JSON stays text, for the decoder to name."""
    dataset = typed.get("dataset", "").strip()
    values = {field.name: _value(field, typed.get(field.name, "").strip(), dataset) for field in fields}
    return msgspec.json.encode({name: value for name, value in values.items() if value is not None})


def _field(field: inspect.Field) -> Field:
    types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
    kind = next(one for one in types if not isinstance(one, inspect.NoneType))
    default = "" if field.default is msgspec.NODEFAULT else field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    item = kind.item_type if isinstance(kind, inspect.ListType) else None
    chosen = item or kind
    return Field(
        name=field.encode_name,
        kind=_kind(kind),
        required=field.required,
        default=as_typed(default),
        choices=tuple(map(str, chosen.values)) if isinstance(chosen, inspect.LiteralType) else (),
        numbers=_is_number(item) if item else False,
    )


def _kind(kind: inspect.Type) -> Kind:
    if isinstance(kind, inspect.ListType):
        return "list"
    if isinstance(kind, inspect.LiteralType):
        return "choice"
    if isinstance(kind, inspect.BoolType):
        return "switch"
    if isinstance(kind, inspect.DateTimeType):
        return "moment"
    if _is_number(kind):
        return "number"
    return "text" if isinstance(kind, inspect.StrType) else "object"


def _is_number(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.LiteralType):
        return all(isinstance(value, int) for value in kind.values)
    return isinstance(kind, inspect.IntType | inspect.FloatType)


def as_typed(value: Any) -> str:
    """A value as it would be typed."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return to_lines(value)
    return "" if value is None or value is False else str(value)


def _value(field: Field, typed: str, dataset: str = "") -> Any:
    if field.kind == "switch":
        return bool(typed)
    if not typed:
        return None
    if field.kind == "list":
        return [_number(one) if field.numbers else one for one in map(str.strip, typed.split(",")) if one]
    if field.kind == "moment":
        # A browser's field of date and time has no zone, and its seconds only where they were given.
        return typed if typed.endswith("Z") else f"{typed}{':00' if typed.count(':') == 1 else ''}Z"
    if field.kind == "number":
        return _number(typed)
    return to_params(typed, dataset) if field.kind == "object" else typed


def _number(typed: str) -> Any:
    value = _json(typed)
    return value if isinstance(value, int | float) else typed


def _json(typed: str) -> Any:
    try:
        return json.loads(typed)
    except ValueError:
        return typed
