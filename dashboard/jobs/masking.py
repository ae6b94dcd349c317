"""Masking of personal values: fields that a task declares personal are masked for viewers, and files with them are kept back."""

from typing import Any

import httpx
import msgspec

from dashboard.auth import User
from service.engine.store import Job
from tasks.csv_export import csv_export
from tasks.exports.datasets import DATASETS
from tasks.sdk.types import REGISTRY

MASK = "•••"

REPORT = "report.json"
"""A campaign's report, a row a recipient."""


def visible(job: Job, user: User) -> dict[str, Any]:
    """The payload, masked for a viewer but for the fields that its task declares, and declares not to be personal."""
    if user.may_act:
        return job.payload
    declared = REGISTRY.get(job.type)
    fields = msgspec.structs.fields(declared.payload) if declared else ()
    open_to_all = {field.encode_name for field in fields if declared and field.name not in declared.personal}
    return {key: value if key in open_to_all else MASK for key, value in job.payload.items()}


def personal_columns(job: Job) -> frozenset[str]:
    """Columns of an export that hold what is personal."""
    dataset = DATASETS.get(str(job.payload.get("dataset", ""))) if job.type == csv_export.name else None
    return frozenset(column.name for column in dataset.columns if column.personal) if dataset else frozenset()


def withheld(job: Job, name: str, user: User) -> bool:
    """True where a file is not for this user: a viewer cannot download what is masked on the page."""
    if user.may_act:
        return False
    if job.type == csv_export.name:
        chosen = job.payload.get("columns")
        return bool(personal_columns(job) & set(chosen) if isinstance(chosen, list) else personal_columns(job))
    return name == REPORT


def origin_of(url: str) -> str:
    """Scheme and host of an owner's URL, as viewers see it: the rest may hold a secret."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.host}/…"
