"""Taking a job from a client or from the dashboard: what may be asked of a job type, and the one way to ask it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Literal

import msgspec

from service.checks import Checks
from service.engine.enqueuer import Accepted
from service.services import Services
from tasks.sdk.errors import Refused
from tasks.sdk.types import JobType, Payload

PAST_ALLOWED = timedelta(minutes=5)
"""A moment this far back counts as now: clocks differ, and a request sent again under its key must not fail."""

Priority = Literal["high", "normal", "low"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with its time zone."""


@cache
def request_type(job_type: JobType) -> type[msgspec.Struct]:
    """What one asks a job type with: its payload's fields, then `priority` and `schedule_at`."""
    return msgspec.defstruct(
        "".join(word.title() for word in job_type.name.split("-")) + "Request",
        [("priority", Priority, "normal"), ("schedule_at", Moment | None, None)],
        bases=(job_type.payload,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def payload_of(job_type: JobType, request: msgspec.Struct) -> Payload:
    """The payload within a request of `request_type`."""
    return job_type.payload(**{name: getattr(request, name) for name in job_type.payload.__struct_fields__})


async def submit(
    services: Services,
    job_type: JobType,
    payload: Payload,
    *,
    owner: str,
    priority: str = "normal",
    schedule_at: datetime | None = None,
    idempotency_key: str | None = None,
    origin: str | None = None,
) -> Accepted:
    """Check a payload on behalf of its owner and queue the job, as a repetition of the job `origin` where one is named.

    Raises Refused, naming the field; IdempotencyConflict; TooManyQueued.
    """
    if schedule_at is not None and schedule_at < datetime.now(UTC) - PAST_ALLOWED:
        raise Refused(f"schedule_at is in the past: {schedule_at.isoformat()}.", field="schedule_at")
    units = await job_type.accepts(payload, Checks(services, owner)) if job_type.accepts else None
    return await services.enqueuer.enqueue(
        job_type,
        payload,
        owner=owner,
        priority=priority,
        schedule_at=schedule_at,
        idempotency_key=idempotency_key,
        units=units or 0,
        origin=origin,
    )
