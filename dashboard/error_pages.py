"""Errors, each as a page with one sentence and a way back."""

import logging
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Template
from litestar_htmx import HTMXDetails

from dashboard.auth import User
from dashboard.rendering import render
from service.api.error_table import Explained, explained
from service.lib.sentences.recogniser import shown
from service.lib.text import with_stop

logger = logging.getLogger("offload.dashboard")


def explain(request: Request[User, Any, Any], error: Exception) -> Response[str] | Template:
    """The answer to whatever a handler raised. A refresh gets a sentence, a reader gets a page."""
    found = _explained(error)
    status_code, sentence, headers = found.status_code, found.sentence, dict(found.headers)
    if status_code == 503 and headers:
        sentence = f"{sentence} Nothing is lost: this page works again as soon as it is back."
    if status_code >= 500:
        logger.error("request.failed: %s %s", request.method, request.url.path, exc_info=error)
    # Without a user there is no page to put the sentence on.
    if "user" not in request.scope or HTMXDetails(request):
        return Response(shown(sentence), status_code=status_code, headers=headers, media_type="text/plain")
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


def _explained(error: Exception) -> Explained:
    """The sentence of the API's table, or the words that came with the status."""
    if isinstance(error, HTTPException):
        return Explained(error.status_code, with_stop(error.detail), headers=dict(error.headers or {}))
    return explained(error)


def _way_back(request: Request[User, Any, Any]) -> tuple[str, str]:
    job_id = request.path_params.get("job_id")
    if job_id and request.method == "POST":
        return f"/admin/jobs/{job_id}", "Back to the job"
    for listed in ("jobs", "documents", "templates"):
        if request.url.path.startswith(f"/admin/{listed}"):
            return f"/admin/{listed}", f"All {listed}"
    return "/admin/queues", "Queues"
