"""What goes wrong, as a page with one sentence and a way back."""

import logging
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Template
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from dashboard.auth import User
from dashboard.rendering import render
from service.api.upload_form import BadForm
from service.documents.store import NoSuchFile
from service.engine.schedules import NoSuchSchedule
from service.engine.store import IdempotencyConflict, NoSuchJob, TooManyQueued, WrongState
from service.engine.store.errors import StoreError
from service.lib.text import as_sentence, with_stop
from service.mail.templates import NoSuchTemplate
from service.monitoring.alerts import NoSuchRule
from tasks.sdk.errors import Refused

logger = logging.getLogger("offload.dashboard")

STATUS_CODES: dict[type[Exception], int] = {
    NoSuchJob: 404,
    NoSuchFile: 404,
    NoSuchRule: 404,
    NoSuchTemplate: 404,
    NoSuchSchedule: 404,
    WrongState: 409,
    IdempotencyConflict: 409,
    TooManyQueued: 429,
    # What is left of the store's refusals: there is no such operation (any more).
    StoreError: 404,
    BadForm: 400,
    RedisError: 503,
    OperationalError: 503,
    OSError: 503,
}

AWAY = "A server it needs does not answer. Nothing is lost: this page works again as soon as it is back."
BROKEN = "The dashboard made a mistake, and has written it to its log."


def explain(request: Request[User, Any, Any], error: Exception) -> Response[str] | Template:
    """The answer to whatever a handler raised. A refresh gets a sentence, a reader gets a page."""
    status_code, sentence = _told(error)
    if status_code >= 500:
        logger.error("%s %s", request.method, request.url.path, exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status_code == 401 or "hx-request" in request.headers:
        return Response(sentence, status_code=status_code, headers=headers, media_type="text/plain")
    back, back_words = _way_back(request)
    return render(
        request,
        "templates/error.html",
        status_code=status_code,
        code=status_code,
        headline=HTTPStatus(status_code).phrase,
        sentence=sentence,
        back=back,
        back_words=back_words,
    )


def _told(error: Exception) -> tuple[int, str]:
    """The status and the sentence. One that may begin with the name of a file begins as that is called."""
    if isinstance(error, HTTPException):
        return error.status_code, with_stop(error.detail)
    if isinstance(error, Refused):
        return error.status_code, with_stop(str(error))
    status_code = next((code for kind, code in STATUS_CODES.items() if isinstance(error, kind)), 500)
    if status_code == 503:
        return status_code, AWAY
    return status_code, as_sentence(str(error)) if status_code < 500 else BROKEN


def _way_back(request: Request[User, Any, Any]) -> tuple[str, str]:
    job_id = request.path_params.get("job_id")
    if job_id and request.method == "POST":
        return f"/admin/jobs/{job_id}", "Back to the job"
    for listed in ("jobs", "documents", "templates"):
        if request.url.path.startswith(f"/admin/{listed}"):
            return f"/admin/{listed}", f"All {listed}"
    return "/admin/queues", "Queues"
