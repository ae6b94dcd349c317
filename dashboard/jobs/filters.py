"""The filter of the jobs page: in the address, in one input, as chips, and in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard.list_urls import given, list_address
from service.documents.store import FILE_ID
from service.engine.states import State
from service.engine.store import JobFilter
from service.engine.store.run_history import ORIGIN, TAG
from settings.queues import Queue
from tasks.sdk.types import REGISTRY

PATH = "/admin/jobs"
PLAIN = ("status", "queue", "type", "owner", "file")
PERSONAL_FILTERS = (
    "file",
    *sorted({key for job_type in REGISTRY.values() for key in job_type.search_keys if key in job_type.personal}),
)
"""Parts of the address that search personal data: a name that is found is known to be there."""

SPOKEN = {"status": "state", "type": "task"}
"""Names of the address's parts for readers."""

WORD = re.compile(r'(?:[a-z_]+:)?"[^"]*"|\S+')
"""A word of the input; a quoted one may hold blanks, as names of files do."""


@dataclass(frozen=True)
class Chip:
    """One part of a filter: `words` for the reader, `without` the address that leaves it out."""

    words: str
    without: str


@dataclass(frozen=True)
class Filter:
    """A filter of jobs. `search` is a declared search key with its value, such as ("file_id", "file-1"); `file` is a part
    of the name of a document that a job works on."""

    status: str | None = None
    queue: str | None = None
    type: str | None = None
    owner: str | None = None
    file: str | None = None
    search: tuple[str, str] | None = None

    def pairs(self) -> dict[str, str]:
        """The filter as the address carries it."""
        plain = {name: value for name in PLAIN if (value := getattr(self, name))}
        return plain | dict([self.search] if self.search else [])

    def wanted(self, file_ids: Iterable[str] = ()) -> JobFilter:
        """The filter as the store reads it; `file_ids` are the documents that `file` stands for."""
        return JobFilter(self.queue, self.status, self.type, self.owner, self.search, any_of=self.any_of(file_ids))

    def any_of(self, file_ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Search keys of which a job must have one; a name that no document has is looked for in vain, not left out."""
        return tuple(("file_id", one) for one in file_ids) or (("file_id", ""),) if self.file else ()

    def address(self, **changes: Any) -> str:
        """The address of the jobs page with this filter, changed."""
        return list_address(PATH, replace(self, **changes).pairs())

    def chips(self) -> list[Chip]:
        pairs = self.pairs()
        return [
            Chip(f"{SPOKEN.get(name, name)}: {value}", list_address(PATH, pairs | {name: ""}))
            for name, value in pairs.items()
        ]


def search_keys() -> list[str]:
    """Payload fields by which jobs can be found, over all declared job types, and the job that they repeat."""
    return sorted({ORIGIN, TAG, *(key for job_type in REGISTRY.values() for key in job_type.search_keys)})


def from_address(query: Mapping[str, str]) -> Filter:
    """The filter in an address. Unknown parameters are passed over: mail programs add theirs to links."""
    chosen = given(query, PLAIN)
    if chosen.get("status") not in set(State):
        chosen.pop("status", None)
    search = next(((key, query[key].strip()) for key in search_keys() if query.get(key, "").strip()), None)
    return Filter(**chosen, search=search)


def from_input(words: str, base: Filter) -> tuple[Filter, list[str]]:
    """`base` with the typed words on top, and the words that no filter explains: a job's id or a file's name, perhaps.

    `state:failed`, `queue:csv-export`, `task:pdf-ocr`, `owner:acme`, `file:lease.pdf`, `file:"two words.pdf"`, `file_id:…`,
    the bare id of a file, or the bare name of a state, queue or task.
    """
    found, unexplained = base, []
    for word in WORD.findall(words):
        name, colon, value = word.partition(":")
        name, value = (
            next((field for field, spoken in SPOKEN.items() if spoken == name), name),
            value.strip('"').strip(),
        )
        if colon and name in PLAIN and value:
            found = _with(found, name, value)
        elif colon and name in search_keys() and value:
            found = replace(found, search=(name, value))
        elif FILE_ID.fullmatch(word):
            found = replace(found, search=("file_id", word))
        elif (field := _field_of(word)) is not None:
            found = _with(found, field, word)
        else:
            unexplained.append(word.strip('"'))
    return found, unexplained


def _with(chosen: Filter, name: str, value: str) -> Filter:
    return from_address(chosen.pairs() | {name: value})


def _field_of(word: str) -> str | None:
    known: Iterable[tuple[str, Iterable[str]]] = (("status", set(State)), ("queue", set(Queue)), ("type", REGISTRY))
    return next((field for field, names in known if word in names), None)


def suggestions() -> list[str]:
    """Completions that the input offers."""
    return [
        *(f"state:{state}" for state in State),
        *(f"queue:{queue}" for queue in Queue),
        *(f"task:{name}" for name in sorted(REGISTRY)),
        "owner:",
        "file:",
        *(f"{key}:" for key in search_keys()),
    ]
