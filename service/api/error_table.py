"""Table of errors, by status code and sentence: one table, which the API renders as JSON and the dashboard as a
page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from obstore.exceptions import GenericError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError

from service.access.failed_attempts import TooManyFailures
from service.api.schemas import FieldError
from service.api.upload_form import BadForm
from service.database.api_keys import KeyEnded, NoSuchKey
from service.database.saved_views import NoSuchView
from service.documents.checksums import BadChecksum, ChecksumMismatch
from service.documents.corrections.rows import PageChanged
from service.documents.malware import AGAIN_S, Infected, NotScanned
from service.documents.store import NoSuchFile
from service.documents.upload_errors import NoSuchUpload, OffsetConflict, TooManyUploads, UploadExpired
from service.engine.redis.away import QueueServerAway
from service.engine.redis.retry import refusal
from service.engine.schedules.owned import NameTaken, TooManySchedules
from service.engine.schedules.records import NoSuchSchedule
from service.engine.store import (
    AcrossServers,
    IdempotencyConflict,
    NoSuchJob,
    NoSuchWorkflow,
    NotReplicated,
    OverLimit,
    WrongState,
)
from service.engine.store.errors import StoreError, TooManyToRead
from service.lib.encryption import Unreadable
from service.lib.fair_turns import Abandoned
from service.lib.outages import Outage, outage_of
from service.lib.text import as_sentence, with_stop
from service.mail.templates import NoSuchTemplate
from service.monitoring.alerts import NoSuchRule
from service.monitoring.owner_alerts import AlertConflict, NoSuchAlertAddress, TooManyAlertAddresses
from service.webhooks.rows import NoSuchDelivery, NoSuchWebhook, NotDeliverable, TooManyWebhooks
from tasks.sdk.errors import Refused

AWAY_S, FULL_S, REPLICA_S = 5, 60, 1
"""Retry-After in seconds: for a part that is away, for an operator to make room, for a replica."""

AWAY = "A part of the service is away for the moment; try again."
BROKEN = "Something went wrong on our side; the error has been logged."


class BadRequest(Exception):
    """A request with one or more wrong fields, each with its sentence."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(errors[0].message if len(errors) == 1 else f"{len(errors)} fields are wrong.")
        self.errors = errors


class Conflict(BadRequest):
    """A request that was made from a state of before, with what is there now by field."""

    def __init__(self, sentence: str, errors: Sequence[FieldError]) -> None:
        super().__init__(*errors)
        self.sentence = sentence


ERRORS_MAX = 50
"""Wrong fields that one answer names: a longer list helps no reader."""


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise BadRequest with the first ERRORS_MAX errors, where there is one."""
    if errors:
        raise BadRequest(*errors[:ERRORS_MAX])


class NoSuchType(Exception):
    """No job of that type can be asked for."""


@dataclass(frozen=True)
class Explained:
    """Row of an error. From 500 on it is also logged; `unexpected` ones with their trace."""

    status_code: int
    sentence: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    unexpected: bool = False
    reason: str = ""
    """Its part of the page of its status code, under /docs/errors."""


def reason_of(kind: type) -> str:
    """Name of a kind of error in addresses, such as no-such-job."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


STATUS_CODES: Mapping[type[Exception], int] = {
    NoSuchFile: 404,
    # The operator's to put right; the sentence says how.
    Unreadable: 500,
    PageChanged: 409,
    NoSuchTemplate: 404,
    NoSuchJob: 404,
    NoSuchWorkflow: 404,
    NoSuchType: 404,
    NoSuchRule: 404,
    NoSuchView: 404,
    NoSuchSchedule: 404,
    NameTaken: 409,
    TooManySchedules: 409,
    NoSuchWebhook: 404,
    NoSuchDelivery: 404,
    TooManyWebhooks: 409,
    NotDeliverable: 409,
    NoSuchAlertAddress: 404,
    TooManyAlertAddresses: 409,
    AlertConflict: 409,
    KeyEnded: 409,
    NoSuchKey: 404,
    NoSuchUpload: 404,
    Infected: 409,
    UploadExpired: 410,
    OffsetConflict: 409,
    TooManyUploads: 429,
    BadChecksum: 400,
    ChecksumMismatch: 460,
    WrongState: 409,
    IdempotencyConflict: 409,
    AcrossServers: 400,
    TooManyToRead: 400,
    # What is left of the store's refusals: there is no such operation (any more).
    StoreError: 404,
}
"""Errors whose own words are the sentence. The first that an error is one of counts."""


REASONED = (
    BadRequest, Refused, BadForm, TooManyFailures, OverLimit, NotScanned, NotReplicated, QueueServerAway, *STATUS_CODES,
)  # fmt: skip
"""Kinds of errors that have their own part on the page of their status code. The first that an error is one of counts."""


def explained(error: Exception) -> Explained:
    """Status code, sentence, headers and reason of anything that a handler raised but Litestar's own exceptions."""
    for kind in REASONED:
        if isinstance(error, kind):
            return replace(_found(error), reason=reason_of(kind))
    return _found(error)


def _found(error: Exception) -> Explained:
    match error:
        case Conflict():
            return Explained(409, error.sentence, error.errors)
        case BadRequest():
            return Explained(400, str(error), error.errors)
        case Refused():
            sentence = with_stop(str(error))
            return Explained(error.status_code, sentence, [FieldError(error.field, sentence)])
        case BadForm():
            sentence = with_stop(str(error))
            return Explained(400, sentence, [FieldError(error.field, sentence)])
        case TooManyFailures():
            return Explained(429, str(error), headers={"Retry-After": str(error.retry_after_s)})
        case OverLimit():
            return Explained(429, as_sentence(str(error)), headers={"Retry-After": str(error.retry_after_s)})
        case NotScanned():
            return Explained(503, as_sentence(str(error)), headers={"Retry-After": str(AGAIN_S)})
        case Abandoned():
            # No client reads it.
            return Explained(400, str(error))
    status_code = next((code for kind, code in STATUS_CODES.items() if isinstance(error, kind)), None)
    if status_code:
        return Explained(status_code, as_sentence(str(error)))
    return _infrastructure(error) or Explained(500, BROKEN, unexpected=True, reason="broken")


def _infrastructure(error: Exception) -> Explained | None:
    if isinstance(error, NotReplicated):
        return Explained(503, as_sentence(str(error)), headers={"Retry-After": str(REPLICA_S)})
    if isinstance(error, QueueServerAway):
        return Explained(503, as_sentence(str(error)), headers={"Retry-After": str(AWAY_S)})
    if isinstance(error, RedisError):
        why = refusal(error)
        sentence = f"The queue server takes no jobs for the moment: {why}; try again." if why else AWAY
        return Explained(503, sentence, headers={"Retry-After": str(AWAY_S)}, reason="outage")
    outage = outage_of(error)
    if outage is None and isinstance(error, GenericError):
        outage = Outage("storage", "it fails")
    if outage is not None:
        full = outage.why in ("full", "its disk is full")
        wait_s = FULL_S if full else AWAY_S
        status_code, reason = (507, "full") if full else (503, "outage")
        headers = {"Retry-After": str(wait_s)}
        return Explained(status_code, f"{outage.sentence}; try again.", headers=headers, reason=reason)
    if isinstance(error, OperationalError | InterfaceError | ConnectionError | TimeoutError):
        return Explained(503, AWAY, headers={"Retry-After": str(AWAY_S)}, reason="outage")
    return None
