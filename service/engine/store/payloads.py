"""Payloads as they are stored and as they are read.

A field that has its default is not stored: a release that adds a field with a default hands no old worker anything that it
cannot read. A reader of a record gets the defaults that the job type has today.
"""

from functools import cache
from typing import Any

import msgspec

from tasks.sdk.types import REGISTRY, Payload


def whole(payload: Payload) -> dict[str, Any]:
    """A payload with all its fields, as JSON has them."""
    names = zip(payload.__struct_encode_fields__, payload.__struct_fields__, strict=True)
    return {encoded: msgspec.to_builtins(getattr(payload, name)) for encoded, name in names}


def with_defaults(job_type: str, stored: dict[str, Any]) -> dict[str, Any]:
    """A stored payload with all fields of its type, in their order, then those that this release does not know."""
    declared = REGISTRY.get(job_type)
    if declared is None:
        return stored
    defaults = _defaults(declared.payload)
    known = {name: stored.get(name, defaults.get(name)) for name in declared.payload.__struct_encode_fields__}
    return {name: value for name, value in known.items() if name in stored or name in defaults} | stored


@cache
def _defaults(payload: type[Payload]) -> dict[str, Any]:
    found = {}
    for field in msgspec.structs.fields(payload):
        if field.default is not msgspec.NODEFAULT:
            found[field.encode_name] = msgspec.to_builtins(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            found[field.encode_name] = msgspec.to_builtins(field.default_factory())
    return found
