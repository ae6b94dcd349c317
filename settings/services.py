"""External services that several job types share, such as a mail server or a partner's API, and what bounds each.

A task asks for one by its name (`run.service("crm")`); OFFLOAD_SERVICES__<SERVICE>__<FIELD> bounds it over all workers.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

SMTP = "smtp"
"""The mail server. Without a rate of its own it has that of the queue email-sender."""


class ServiceLimits(BaseModel):
    """Bounds of one service over all workers together; 0 means unlimited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    """Uses begun in any minute, evenly spaced."""

    at_once: int = Field(default=0, ge=0, le=10_000)
    """Uses under way at the same time."""


NO_BOUNDS = ServiceLimits()
"""Of a service that no setting names."""


class ExternalServices(BaseModel):
    """Bounds by service."""

    model_config = ConfigDict(frozen=True)

    services: dict[str, ServiceLimits] = Field(default_factory=dict)

    @field_validator("services", mode="before")
    @classmethod
    def _name_services(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {
            name.lower().replace("_", "-"): {field.lower(): value for field, value in fields.items()}
            if isinstance(fields, Mapping)
            else fields
            for name, fields in given.items()
        }
