"""Every error as JSON of one shape: {"status_code", "detail", "errors": [{"field", "message"}]}."""

from collections.abc import Sequence
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.types import ExceptionHandlersMap

from service.api.drain_body import DrainingResponse
from service.api.error_guide import link_to_guide
from service.api.error_table import BadRequest, Explained, NoSuchType, explained
from service.api.reader_language import wanted_language
from service.api.schemas import ErrorBody, FieldError
from service.lib.languages import use_language
from service.lib.sentences.recogniser import shown
from service.lib.text import with_stop

__all__ = ["EXCEPTION_HANDLERS", "BadRequest", "NoSuchType", "error_response"]

log = structlog.get_logger(__name__)


def error_response(
    status_code: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
    reason: str = "",
) -> Response[ErrorBody]:
    """The JSON of an error, for what is answered without raising, in the reader's language. The header Link leads to the page
    about it."""
    translated = [FieldError(error.field, shown(error.message)) for error in errors]
    body = ErrorBody(status_code=status_code, detail=shown(detail), errors=translated)
    linked = {"Link": link_to_guide(status_code, reason), **(headers or {})}
    return DrainingResponse(body, status_code=status_code, headers=linked, media_type="application/json")


def _any(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Response of the table. The trace goes to the log; the client learns nothing of the inside."""
    return _rendered(request, error, explained(error))


def _rendered(request: Request[Any, Any, Any], error: Exception, found: Explained) -> Response[ErrorBody]:
    if found.unexpected:
        log.error("request.failed", method=request.method, path=request.url.path, exc_info=error)
    elif found.status_code >= 500:
        log.error("request.unavailable", method=request.method, path=request.url.path, error=str(error)[:1000])
    return error_response(
        found.status_code, found.sentence, found.errors, headers=dict(found.headers), reason=found.reason
    )


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    headers = {name.title(): value for name, value in (error.headers or {}).items()}
    if error.status_code >= 500:
        return _any(request, error)
    if isinstance(error, NotFoundException | MethodNotAllowedException):
        # Without a route no middleware has run.
        spoken = use_language(wanted_language(request.scope)).language
        headers = {"Vary": "Accept-Language", "Content-Language": spoken} | headers
    if isinstance(error, NotFoundException):
        sentence = f"There is nothing at {request.url.path[:200]}."
        return error_response(404, sentence, headers=headers, reason="nothing-here")
    if isinstance(error, MethodNotAllowedException):
        return error_response(405, f"{request.method} is not allowed here.", headers=headers)
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        return _any(request, BadRequest(*map(_parameter_error, error.extra)))
    return error_response(error.status_code, with_stop(error.detail), headers=headers)


def _parameter_error(entry: dict[str, str]) -> FieldError:
    """Litestar's report on one parameter. What it calls `data` is a body that is missing: StrictJson reads the others."""
    name = str(entry.get("key"))
    if name == "data":
        return FieldError("body", "The body is empty: send a JSON object.")
    return FieldError(name, f"{name}: {with_stop(str(entry.get('message')))}")


EXCEPTION_HANDLERS: ExceptionHandlersMap = {HTTPException: _http, Exception: _any}
