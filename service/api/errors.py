"""Every error as JSON of one shape: {"status_code", "detail", "errors": [{"field", "message"}]}."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.types import ExceptionHandlersMap
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from service.api.drain_body import PatientResponse
from service.api.schemas import ErrorBody, FieldError
from service.api.upload_form import BadForm
from service.documents.store import NoSuchFile
from service.engine.redis.retry import refusal
from service.engine.schedules.owned import NameTaken, TooManySchedules
from service.engine.schedules.records import NoSuchSchedule
from service.engine.store import IdempotencyConflict, NoSuchJob, NotReplicated, TooManyQueued, WrongState
from service.lib.outages import outage_of
from service.lib.text import as_sentence, with_stop
from service.mail.templates import NoSuchTemplate
from tasks.sdk.errors import Refused

log = structlog.get_logger(__name__)

Handler = Callable[[Request[Any, Any, Any], Any], Response[ErrorBody]]


class BadRequest(Exception):
    """A request with one or more wrong fields, each with its sentence."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(errors[0].message if len(errors) == 1 else f"{len(errors)} fields are wrong.")
        self.errors = errors


class NoSuchType(Exception):
    """No job of that type can be asked for."""


def error_response(
    status_code: int, detail: str, errors: Sequence[FieldError] = (), headers: dict[str, str] | None = None
) -> Response[ErrorBody]:
    body = ErrorBody(status_code=status_code, detail=detail, errors=list(errors))
    return PatientResponse(body, status_code=status_code, headers=headers, media_type="application/json")


def _fixed(status_code: int) -> Handler:
    return lambda _, error: error_response(status_code, as_sentence(str(error)))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    headers = {name.title(): value for name, value in (error.headers or {}).items()}
    if error.status_code >= 500:
        return _unexpected(request, error)
    if isinstance(error, NotFoundException):
        return error_response(404, f"There is nothing at {request.url.path[:200]}.", headers=headers)
    if isinstance(error, MethodNotAllowedException):
        return error_response(405, f"{request.method} is not allowed here.", headers=headers)
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        return _bad_request(request, BadRequest(*map(_parameter_error, error.extra)))
    return error_response(error.status_code, with_stop(error.detail), headers=headers)


def _parameter_error(entry: dict[str, str]) -> FieldError:
    """Litestar's report on one parameter. What it calls `data` is a body that is missing: StrictJson reads the others."""
    name = str(entry.get("key"))
    if name == "data":
        return FieldError("body", "The body is empty: send a JSON object.")
    return FieldError(name, f"{name}: {with_stop(str(entry.get('message')))}")


def _bad_request(_: Request[Any, Any, Any], error: BadRequest) -> Response[ErrorBody]:
    return error_response(400, str(error), error.errors)


def _refused(_: Request[Any, Any, Any], error: Refused) -> Response[ErrorBody]:
    detail = with_stop(str(error))
    return error_response(error.status_code, detail, [FieldError(error.field, detail)])


def _bad_form(_: Request[Any, Any, Any], error: BadForm) -> Response[ErrorBody]:
    detail = with_stop(str(error))
    return error_response(400, detail, [FieldError(error.field, detail)])


def _too_many(_: Request[Any, Any, Any], error: TooManyQueued) -> Response[ErrorBody]:
    return error_response(429, as_sentence(str(error)), headers={"Retry-After": str(error.retry_after_s)})


def _unavailable(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    log.error("a server it needs is away", method=request.method, path=request.url.path, error=str(error))
    why = refusal(error)
    detail = (
        f"The queue server takes no jobs for the moment: {why}"
        if why
        else "A part of the service is away for the moment"
    )
    return error_response(503, f"{detail}; try again.", headers={"Retry-After": "5"})


def _not_replicated(request: Request[Any, Any, Any], error: NotReplicated) -> Response[ErrorBody]:
    log.error("replicas confirm no jobs", method=request.method, path=request.url.path)
    return error_response(503, as_sentence(str(error)), headers={"Retry-After": "1"})


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """The trace goes to the log; the client learns nothing of the inside. An outage is told from a fault of ours: a client
    may send the same again."""
    if (outage := outage_of(error)) is not None:
        log.error("a part it needs is away", method=request.method, path=request.url.path, error=str(error)[:500])
        detail = f"{outage.sentence}; try again."
        return error_response(507 if outage.why == "full" else 503, detail, headers={"Retry-After": "5"})
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return error_response(500, "Something went wrong on our side; the error has been logged.")


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    HTTPException: _http,
    BadRequest: _bad_request,
    Refused: _refused,
    BadForm: _bad_form,
    NoSuchFile: _fixed(404),
    NoSuchTemplate: _fixed(404),
    NoSuchJob: _fixed(404),
    NoSuchType: _fixed(404),
    NoSuchSchedule: _fixed(404),
    NameTaken: _fixed(409),
    TooManySchedules: _fixed(409),
    WrongState: _fixed(409),
    IdempotencyConflict: _fixed(409),
    TooManyQueued: _too_many,
    NotReplicated: _not_replicated,
    RedisError: _unavailable,
    OperationalError: _unavailable,
    Exception: _unexpected,
}
