"""An outage that reaches the API is told from a fault of its own."""

import errno
import json

import pytest
from litestar.testing import RequestFactory

from service.api.errors import EXCEPTION_HANDLERS
from tasks.sdk.errors import Unreachable


@pytest.mark.parametrize(
    ("error", "status_code", "detail"),
    [
        (
            Unreachable("database", "connection refused"),
            503,
            "The database is out of reach (connection refused); try again.",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "The disk of this machine is full; try again."),
        (ValueError("a secret"), 500, "Something went wrong on our side; the error has been logged."),
    ],
)
def test_what_a_client_is_told(error: Exception, status_code: int, detail: str) -> None:
    response = EXCEPTION_HANDLERS[Exception](RequestFactory().get("/api/files"), error)
    body = json.loads(response.render(response.content, "application/json"))
    assert (response.status_code, body["detail"]) == (status_code, detail)
    assert (response.headers.get("Retry-After") is not None) == (status_code != 500)
