"""Packages of job types besides our own."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def module_names(given: Any) -> Any:
    """`acme_jobs,acme_reports` as a tuple of names. Raises ValueError for what names no module."""
    if not isinstance(given, str):
        return given
    names = tuple(filter(None, (part.strip() for part in given.split(","))))
    if not names or not all(MODULE.fullmatch(name) for name in names):
        raise ValueError("no such list")
    return names


class Packages(BaseModel):
    """Modules that declare job types, queues, schedules and alert rules (tasks/sdk/packages.py imports them)."""

    model_config = ConfigDict(frozen=True)

    jobs: Annotated[tuple[str, ...], NoDecode, BeforeValidator(module_names)] = Field(
        default=(), description="names of Python modules, separated by commas"
    )
    """On top of those that installed packages name themselves, in the entry-point group `offload.jobs`."""
