"""`submit`: the one way to start a job for a client or from the dashboard, after the checks that its type declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, cast

import msgspec

from service.documents.store import NoSuchFile
from service.engine.job_requests import Accepted
from service.engine.terms import NO_TERMS, Terms
from service.lib.clock import now_ms
from service.services import Services
from service.webhooks.addresses import RefusedUrl
from tasks.ports.files import StoredFile
from tasks.sdk.errors import Refused
from tasks.sdk.types import REGISTRY, JobType, Payload

T = TypeVar("T")

PAST_ALLOWED = timedelta(minutes=5)
"""A moment this far back counts as now: clocks differ, and a request sent again under its key must not fail."""

Priority = Literal["high", "normal", "low"]


@cache
def request_type(job_type: JobType) -> type[msgspec.Struct]:
    """Body of a request for a job: the fields of the type's payload, then `priority` and the terms."""
    return msgspec.defstruct(
        "".join(word.title() for word in job_type.name.split("-")) + "Request",
        [("priority", Priority, "normal"), *_terms_fields()],
        bases=(job_type.payload,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def _terms_fields() -> list[tuple[str, Any, Any]]:
    return [(field.name, field.type, field.default) for field in msgspec.structs.fields(Terms)]


def terms_of(request: msgspec.Struct) -> Terms:
    """The terms within a request of `request_type`."""
    return Terms(**{name: getattr(request, name) for name in Terms.__struct_fields__})


def payload_of(job_type: JobType, request: msgspec.Struct) -> Payload:
    """The payload within a request of `request_type`."""
    return job_type.payload(**{name: getattr(request, name) for name in job_type.payload.__struct_fields__})


@dataclass(frozen=True)
class Checks:
    """Checks of a payload that `accepts` may make, on behalf of one owner, who sees only its own files."""

    services: Services
    owner: str

    async def file(self, file_id: str, field: str = "file_id") -> StoredFile:
        """Metadata of the owner's file. Raises Refused (404), naming `field`; Infected."""
        try:
            # A job of a file that waits for its scan waits with it.
            return await self.services.files.describe(file_id, self.owner, held=True)
        except NoSuchFile as error:
            raise Refused(str(error), field=field, status_code=404) from None

    async def files(self, file_ids: Sequence[str], field: str = "file_ids") -> None:
        """See that all are the owner's files. Raises Refused (404), naming `field` and the first that is not; Infected."""
        owned = await self.services.files.owned(file_ids, self.owner)
        for file_id in file_ids:
            if file_id not in owned:
                raise Refused(str(NoSuchFile(file_id)), field=field, status_code=404)

    def use(self, port: type[T]) -> T:
        """The implementation of a protocol of tasks/ports/. Raises KeyError where there is none."""
        return cast(T, self.services.runtime.ports[port])


def requestable(name: str) -> JobType:
    """The public job type of that name. Raises Refused, naming the types that there are."""
    job_type = REGISTRY.get(name)
    if job_type is None or not job_type.public:
        known = ", ".join(sorted(one.name for one in REGISTRY.values() if one.public))
        raise Refused(f"There is no job type {name[:80]}: there are {known}.", field="job")
    return job_type


async def submit(
    services: Services,
    job_type: JobType,
    payload: Payload,
    *,
    owner: str,
    priority: str = "normal",
    terms: Terms = NO_TERMS,
    idempotency_key: str | None = None,
    origin: str | None = None,
) -> Accepted:
    """Check a payload on behalf of its owner and queue the job, as a repetition of the job `origin` where one is named.

    Raises Refused, naming the field; IdempotencyConflict; OverLimit.
    """
    units, mails = await checked_work(services, job_type, payload, owner=owner, terms=terms)
    return await services.enqueuer.enqueue(
        job_type,
        payload,
        owner=owner,
        priority=priority,
        terms=terms,
        idempotency_key=idempotency_key,
        units=units,
        origin=origin,
        mails=mails,
    )


class Work(NamedTuple):
    """Amount of work of a payload, and number of messages where its owner's plan bounds them."""

    units: int
    mails: int


async def checked_work(services: Services, job_type: JobType, payload: Payload, *, owner: str, terms: Terms) -> Work:
    """Check a payload and its terms on behalf of its owner; returns its work. Raises Refused, naming the field."""
    if problem := terms.problem(datetime.fromtimestamp(now_ms() / 1000, UTC) - PAST_ALLOWED):
        raise Refused(problem[1], field=problem[0])
    if terms.callback_url:
        await check_callback(services, terms.callback_url)
    checks = Checks(services, owner)
    units = await job_type.accepts(payload, checks) if job_type.accepts else None
    bounded = job_type.mails and (await services.owners.limits(owner)).values.mails_per_hour
    return Work(units or 0, await job_type.mails(payload, checks) if bounded and job_type.mails else 0)


async def check_callback(services: Services, url: str) -> None:
    """See that webhooks may go to a URL. Raises Refused, naming `callback_url`."""
    try:
        await services.webhooks.addresses.check(url)
    except RefusedUrl as error:
        raise Refused(str(error), field="callback_url") from None
