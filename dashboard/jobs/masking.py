"""Masking of personal values for users without the right to see them: fields that a task declares personal, and files."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from dashboard.auth import User
from service.access.personal import exports_personal
from service.engine.store import Job
from tasks.csv_export import csv_export
from tasks.sdk.types import REGISTRY

MASK = "•••"


def visible(job: Job, user: User) -> dict[str, Any]:
    """The payload; of fields that its task does not declare, or declares personal, only the names for who may see no more."""
    if user.sees_personal:
        return job.payload
    open_to_all = _open_fields(job)
    return {key: value if key in open_to_all else MASK for key, value in job.payload.items()}


def outcome(value: Any, user: User) -> Any:
    """A result, or data of a job's progress. Its texts may be what a document says: without the right, numbers alone."""
    if user.sees_personal or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: outcome(one, user) for key, one in value.items()}
    if isinstance(value, list):
        return [outcome(one, user) for one in value]
    return MASK


def hidden_values(job: Job) -> set[str]:
    """Texts of the payload that `visible` masks."""
    open_to_all = _open_fields(job)
    return {text for key, value in job.payload.items() if key not in open_to_all for text in _texts(value)}


def withheld(job: Job, name: str, user: User) -> bool:
    """True where a file is not for this user: without the right there is only what an export has without personal columns.

    What was read in a document, or made of it, is as personal as the document.
    """
    return not user.sees_personal and (job.type != csv_export.name or exports_personal(job))


def document_name(document: Any, user: User) -> str:
    """The name of a document, or what stands for it: names of files tell of people."""
    return str(document.name) if user.sees_personal else f"Document {document.file_id.removeprefix('file-')[:8]}"


def origin_of(url: str) -> str:
    """Scheme and host of an owner's URL, as viewers see it: the rest may hold a secret."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.host}/…"


def _open_fields(job: Job) -> set[str]:
    declared = REGISTRY.get(job.type)
    fields = msgspec.structs.fields(declared.payload) if declared else ()
    return {field.encode_name for field in fields if declared and field.name not in declared.personal}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
