"""Page of the guide to errors: what it says about one status code and about each kind of error under it."""

from dataclasses import dataclass
from http import HTTPStatus

from service.api.error_table import explained, reason_of
from service.api.schemas import ErrorBody

UNCHANGED = "No: the same request has the same answer until it, or what it is about, has changed."
AFTER = "Yes, after as many seconds as the header Retry-After says, with the same Idempotency-Key."


@dataclass(frozen=True)
class Cause:
    """One kind of error under a status code. `name` is its anchor on the page, which the header Link leads to."""

    name: str
    meaning: str
    advice: str


@dataclass(frozen=True)
class Guide:
    """Page of one status code. `retry` says in a sentence whether the same request may succeed later."""

    status_code: int
    meaning: str
    advice: str
    example: ErrorBody
    retry: str = UNCHANGED
    causes: tuple[Cause, ...] = ()

    @property
    def title(self) -> str:
        """Its name in the standard; 460 is of the protocol for resumable uploads, and stands in none."""
        return "Checksum Mismatch" if self.status_code == 460 else HTTPStatus(self.status_code).phrase


def cause(kind: type, meaning: str, advice: str) -> Cause:
    """The cause that errors of this class are."""
    return Cause(reason_of(kind), meaning, advice)


def example_of(error: Exception) -> ErrorBody:
    """The body that the table of errors makes of an error."""
    found = explained(error)
    return ErrorBody(found.status_code, found.sentence, list(found.errors))
