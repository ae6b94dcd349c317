"""Request bodies, decoded strictly: a number is not a string, an unknown field is an error, every wrong field is named."""

import json
import re
import types
from collections.abc import Generator, Mapping
from enum import Enum
from itertools import islice
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec
from litestar.dto import AbstractDTO
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from service.api.errors import BadRequest
from service.api.nul import nul_fields
from service.api.schemas import FieldError
from settings.amounts import counted

S = TypeVar("S", bound=msgspec.Struct)

NAMED_MAX = 50
"""Wrong fields named in one answer: a body of a million unknown fields is not echoed."""

_KINDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "null", "datetime": "a date and time such as 2026-01-31T08:00:00Z",
}  # fmt: skip


def decode_body(body: bytes, wanted: type[S]) -> S:
    """A struct from JSON. Raises BadRequest, naming every field that is wrong."""
    try:
        # JSON can write a NUL in this way only.
        if b"\\u0000" in body and (errors := list(islice(nul_fields(msgspec.json.decode(body), ""), NAMED_MAX))):
            raise BadRequest(*errors)
        try:
            return msgspec.json.decode(body, type=wanted)
        except msgspec.ValidationError as error:
            raise BadRequest(*_all_errors(msgspec.json.decode(body), wanted, error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(FieldError("body", _malformed(body, error))) from None


def decode_json(body: bytes) -> Any:
    """Any JSON value. Raises BadRequest for a body that is none, or that has a NUL."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(FieldError("body", _malformed(body, error))) from None
    if errors := list(islice(nul_fields(value, ""), NAMED_MAX)):
        raise BadRequest(*errors)
    return value


def _malformed(body: bytes, error: Exception) -> str:
    """Position at which the JSON breaks off, by line and column, which msgspec does not tell, or what is too much of it."""
    if isinstance(error, RecursionError):
        return "The body has lists or objects within each other, too many to be read."
    if "out of range" in str(error):
        return "The body has a number that is out of range."
    try:
        json.loads(body)
    except json.JSONDecodeError as found:
        return f"The body is not valid JSON: {found.msg} at line {found.lineno}, column {found.colno}."
    except (ValueError, RecursionError):
        pass
    return f"The body is not valid JSON: {error}."


def _all_errors(given: Any, wanted: type[S], first: msgspec.ValidationError) -> list[FieldError]:
    """Convert each field alone, for msgspec stops at the first error."""
    if not isinstance(given, dict):
        return [FieldError("body", "The body must be a JSON object.")]
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    errors = []
    for name, field in fields.items():
        if name in given:
            errors += _field_errors(name, given[name], field.type)
        elif field.required:
            errors.append(FieldError(name, f"{name} is required."))
    known = ", ".join(fields)
    for name in given.keys() - fields.keys():
        shown = str(name)[:100]
        errors.append(FieldError(shown, f"{shown} is not a field of this request: it takes {known}."))
    return errors[:NAMED_MAX] or [FieldError(*_where("body", str(first)))]


def _field_errors(name: str, value: Any, wanted: Any) -> list[FieldError]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        field, message = _where(name, str(error))
        if choices := _choices(_type_at(wanted, field.removeprefix(name))):
            message = f"{field} must be {' or '.join(choices)}."
        return [FieldError(field, message)]
    return []


def _bound(field: str, kind: str, length: str | None, side: str, most: str) -> str:
    """The sentence about a number, a text or a list that is beyond one of its bounds."""
    least = side == ">="
    if not length:
        return f"{field} must be at least {most}." if least else f"{field} must be at most {most}."
    if least and most == "1":
        return f"{field} must not be empty."
    parts = counted(int(most), "character") if kind == "str" else counted(int(most), "value")
    return f"{field} must have at least {parts}." if least else f"{field} must have at most {parts}."


def _type_at(wanted: Any, path: str) -> Any:
    """The type of a value within another: "[2].state" is the field `state` of a list's element. None where that is not told."""
    for step in re.findall(r"\[[^\]]*\]|\.[^.\[]+", path):
        inner = next((one for one in _alternatives(wanted) if get_args(one) or _is_struct(one)), None)
        if step.startswith("["):
            wanted = (get_args(inner) or [None])[-1 if get_origin(inner) in (dict, Mapping) else 0]
        else:
            fields = msgspec.structs.fields(inner) if _is_struct(inner) else ()
            wanted = next((field.type for field in fields if field.encode_name == step[1:]), None)
    return wanted


def _is_struct(wanted: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _alternatives(wanted: Any) -> list[Any]:
    """The types of a union, without what annotates them."""
    origin = get_origin(wanted)
    if origin is Annotated:
        return _alternatives(get_args(wanted)[0])
    if origin in (Union, types.UnionType):
        return [found for one in get_args(wanted) for found in _alternatives(one)]
    return [wanted]


def _where(name: str, message: str) -> tuple[str, str]:
    """Split msgspec's "Expected `int`, got `str` - at `$[2].x`" into the field and a sentence about it."""
    text, _, path = message.partition(" - at `")
    field = name + path.rstrip("`").removeprefix("$").replace("[...]", "[]")
    found = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", text)
    if found:
        wanted, got = (" or ".join(_KINDS.get(kind, kind) for kind in group.split(" | ")) for group in found.groups())
        return field, f"{field} must be {wanted}, not {got}."
    if text == "Invalid RFC3339 encoded datetime" or "timezone component" in text:
        return field, f"{field} must be {_KINDS['datetime']}, with its time zone."
    bound = re.fullmatch(r"Expected `(\w+)` (of length )?(>=|<=) (\S+)", text)
    if bound:
        return field, _bound(field, *bound.groups())
    text = text.replace("`", "")
    return field, f"{field}: {text[:1].lower()}{text[1:]}."


def _choices(wanted: Any) -> list[str]:
    """The values a Literal or an Enum takes, alone or in an optional."""
    found: list[str] = []
    for one in _alternatives(wanted):
        if get_origin(one) is Literal:
            found += map(str, get_args(one))
        elif isinstance(one, type) and issubclass(one, Enum):
            found += [str(choice.value) for choice in one]
    return found


class StrictJson(AbstractDTO[msgspec.Struct]):
    """Puts `decode_body` in the place of Litestar's own decoding, which takes "5" for 5 and names one error at most."""

    def decode_bytes(self, value: bytes) -> Any:
        wanted = self.asgi_connection.route_handler.parsed_fn_signature.parameters["data"].annotation
        if get_origin(wanted) in (Union, types.UnionType):
            # A body that may be left out: what is sent is held to the same struct.
            wanted = next(one for one in get_args(wanted) if one is not type(None))
        return decode_body(value, wanted)

    def decode_builtins(self, value: Mapping[str, Any]) -> Any:
        raise BadRequest(FieldError("body", "Send the body as JSON."))

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Nothing to prepare: decoding goes by the handler's own annotation."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        whole = (
            schema_creator.schema_registry.from_reference(schema).schema if isinstance(schema, Reference) else schema
        )
        # Litestar does not say so of a struct that forbids unknown fields.
        whole.additional_properties = False
        return schema
