"""The language that finds jobs, one for the dashboard, the API and the command line (docs/finding-jobs.md)."""

from service.engine.job_query.compile import MatchingFiles, job_filter
from service.engine.job_query.keys import all_keys, search_keys, suggestions
from service.engine.job_query.parse import Parsed, parse
from service.engine.job_query.terms import Term, as_text

__all__ = [
    "MatchingFiles",
    "Parsed",
    "Term",
    "all_keys",
    "as_text",
    "job_filter",
    "parse",
    "search_keys",
    "suggestions",
]
