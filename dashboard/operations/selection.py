"""A selection of jobs as a form carries it, and in words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dashboard.jobs.filters import FINGERPRINT, WHERE, Filter, from_address
from service.documents.matching import SAME_NAME_MAX, matching_files
from service.engine.job_query import Term, as_text, job_filter, parse
from service.engine.job_query.keys import personal_keys
from service.engine.store.bulk_operations import APPLIES, Kind, Selection
from service.lib.clock import now_ms
from service.services import Services
from tasks.sdk.errors import Refused

VERBS: dict[Kind, str] = {"retry": "Retry", "cancel": "Cancel", "delete": "Delete"}
SHOWN_VERBS = dict[str, str](VERBS.items()) | {"restore": "Restore", "requeue": "Queue again"}
"""Those of operations: what takes one back cannot be chosen for jobs."""

ICONS: dict[Kind, str] = {"retry": "retrying", "cancel": "cancelled", "delete": "trash"}

AT = "at"
"""The form's field with the moment (ms) from which relative times count: that at which the list was shown."""

AT_MAX_MS = 86_400_000


@dataclass(frozen=True)
class Chosen:
    """Explicit ids, or else everything that fits a filter as it was at `at_ms`."""

    filter: Filter = field(default_factory=Filter)
    ids: tuple[str, ...] = ()
    at_ms: int = 0


def kind_of(word: str) -> Kind:
    """Raises Refused for what is not an action on jobs."""
    for kind in VERBS:
        if kind == word:
            return kind
    raise Refused(f"There is no action {word[:40]} on jobs: it is retry, cancel or delete.", field="kind")


def selection_of(fields: Mapping[str, str]) -> Chosen:
    """Explicit ids (joined by commas), or else everything that fits the filter in `fields`.

    Raises Refused for a filter of which a part means nothing: without it, more jobs would fit than were meant.
    """
    ids = tuple(dict.fromkeys(job_id for job_id in fields.get("ids", "").split(",") if job_id))
    if ids:
        return Chosen(ids=ids)
    chosen = from_address(fields)
    if chosen.left_out:
        raise Refused(f"A part of the filter means nothing. {chosen.left_out[0]}", field=WHERE)
    return Chosen(chosen, at_ms=_moment(fields.get(AT, "")))


def _moment(text: str) -> int:
    now = now_ms()
    return int(text) if text.isascii() and text.isdigit() and now - AT_MAX_MS < int(text) <= now else now


async def resolved(services: Services, chosen: Chosen) -> Selection:
    """The selection as the store reads it. Raises Refused where a file's name stands for too many files."""
    if chosen.ids:
        return Selection(ids=chosen.ids)
    files = await matching_files(services.database, chosen.filter.terms())
    if files.cut:
        raise Refused(
            f"More than {SAME_NAME_MAX} files have {files.cut[0][:80]} in their names: filter by a longer part of it.",
            field="file",
        )
    return Selection.of(chosen.filter.wanted(chosen.at_ms, files))


def fields_of(chosen: Chosen) -> dict[str, str]:
    """The form fields that mean the selection."""
    return {"ids": ",".join(chosen.ids)} if chosen.ids else chosen.filter.pairs() | {AT: str(chosen.at_ms)}


def words(kind: Kind, chosen: Chosen) -> str:
    """The selection in words: `3 chosen jobs`, `all failed jobs in csv-export of acme`."""
    if chosen.ids:
        return f"{len(chosen.ids):,} chosen job{'' if len(chosen.ids) == 1 else 's'}"
    wanted = chosen.filter
    states = job_filter((term for term in wanted.terms() if term.key == "state"), chosen.at_ms).states
    phrase = f"all {' or '.join(str(state) for state in APPLIES[kind] if state in states) or 'of no'} jobs"
    for lead, value in (("of task", wanted.type), ("in", wanted.queue), ("of", wanted.owner)):
        phrase += f" {lead} {value}" if value else ""
    if wanted.search:
        phrase += f" with {wanted.search[0]} {wanted.search[1]}"
    if wanted.file:
        phrase += f" of files with {wanted.file} in their names"
    causes = [term for term in wanted.more if term.key == FINGERPRINT]
    if other := [term for term in wanted.more if term not in causes]:
        phrase += f" that fit {as_text(other)}"
    return f"{phrase} that failed of {_these(causes)}" if causes else phrase


def _these(causes: list[Term]) -> str:
    return "this cause" if len(causes) == 1 and not causes[0].negated else as_text(causes)


def chosen_ids(chosen: Chosen) -> str:
    """The ids of a selection that names them, for the audit log; empty for a filter, which its words name."""
    return f": {' '.join(chosen.ids)}" if chosen.ids else ""


_END = r"(?: that failed of (?:this cause|-?fingerprint:\S+))?(?:, [\d,]+ in all)?$"
_SEARCHED = re.compile(rf" with (?P<key>\w+) (?P<value>.+?){_END}")
_NAMED = re.compile(r"files with .+ in their names")
_FITTING = re.compile(rf" that fit (?P<terms>.+?){_END}")


def personal_parts(phrase: str) -> Iterator[str]:
    """The parts of `words` that search what may be personal, as they stand there: a user without that right is not shown them."""
    searched = _SEARCHED.search(phrase)
    if searched and searched["key"] in personal_keys():
        # To the end: where its value ends cannot be known.
        yield f"{searched['key']} {searched['value']}"
        return
    yield from _NAMED.findall(phrase)
    if found := _FITTING.search(phrase):
        yield from (str(term) for term in parse(found["terms"]).terms if term.key in personal_keys())
