"""`q` of the list of jobs: the query of a caller, read into the filter of the store, and what its answer lacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.api.errors import BadRequest
from service.api.schemas import FieldError
from service.documents.matching import many_files, matching_files, with_ids
from service.engine.job_query import Term, job_filter, parse
from service.engine.store import JobFilter, Page
from service.lib.clock import now_ms
from service.services import Services


@dataclass(frozen=True)
class CallersQuery:
    """The filter, and sentences about what it leaves out."""

    wanted: JobFilter
    notes: Sequence[str]


async def callers_query(services: Services, owner: str, text: str, given: Sequence[Term]) -> CallersQuery:
    """The filter that `q` means, with the terms of other parameters, over one owner's jobs. Raises BadRequest with one
    sentence for each mistake in it."""
    parsed = with_ids(parse(text))
    problems = [*parsed.problems, *parsed.gone, *(unexplained(word) for word in parsed.words)]
    if problems:
        raise BadRequest(*(FieldError("q", problem) for problem in problems))
    terms = [*given, *parsed.terms]
    files = await matching_files(services.database, terms, owner)
    wanted = job_filter(terms, now_ms(), owner=owner, files=files.ids)
    return CallersQuery(wanted, [many_files(text) for text in files.cut])


def unexplained(word: str) -> str:
    """The sentence for a bare word that is not a state, queue, task or id of a file."""
    return f'{word[:80]} has no key: write state:failed, error:"{word[:80]}" or file:"{word[:80]}", for example.'


def coverage(page: Page, cursor: str | None) -> str | None:
    """The sentence for a page that ends before all candidates have been looked at; None where it does not."""
    if page.partial is None:
        return None
    examined, candidates = page.partial
    if cursor is None:
        return f"Looked at the newest {examined:,} of {candidates:,} jobs that may fit; go on with the cursor."
    return f"Looked at the next {examined:,} of {candidates:,} older jobs that may fit; go on with the cursor."
