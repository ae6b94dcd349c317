"""The filter of the jobs page: in the address, in one input, as chips, and in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dashboard.list_urls import given, list_address
from service.engine.states import State
from service.engine.store import JobFilter
from service.engine.store.run_history import ORIGIN
from settings.queues import Queue
from tasks.sdk.types import REGISTRY

PATH = "/admin/jobs"
PLAIN = ("status", "queue", "type", "owner")
SPOKEN = {"status": "state", "type": "task"}
"""What a reader calls a part of the address."""


@dataclass(frozen=True)
class Chip:
    """One part of a filter: `words` for the reader, `without` the address that leaves it out."""

    words: str
    without: str


@dataclass(frozen=True)
class Filter:
    """What is looked for. `search` is a declared search key with its value, such as ("file_id", "file-1")."""

    status: str | None = None
    queue: str | None = None
    type: str | None = None
    owner: str | None = None
    search: tuple[str, str] | None = None

    def pairs(self) -> dict[str, str]:
        """The filter as the address carries it."""
        plain = {name: value for name in PLAIN if (value := getattr(self, name))}
        return plain | dict([self.search] if self.search else [])

    def wanted(self) -> JobFilter:
        """The filter as the store reads it."""
        return JobFilter(self.queue, self.status, self.type, self.owner, self.search)

    def address(self, **changes: str | None) -> str:
        """The address of the jobs page with this filter, changed."""
        return list_address(PATH, replace(self, **changes).pairs())  # type: ignore[arg-type]  # only PLAIN fields are changed so

    def chips(self) -> list[Chip]:
        pairs = self.pairs()
        return [
            Chip(f"{SPOKEN.get(name, name)}: {value}", list_address(PATH, pairs | {name: ""}))
            for name, value in pairs.items()
        ]


def search_keys() -> list[str]:
    """Payload fields by which jobs can be found, over all declared job types, and the job that they repeat."""
    return sorted({ORIGIN, *(key for job_type in REGISTRY.values() for key in job_type.search_keys)})


def from_address(query: Mapping[str, str]) -> Filter:
    """The filter in an address. Unknown parameters are passed over: mail programs add theirs to links."""
    asked = given(query, PLAIN)
    if asked.get("status") not in set(State):
        asked.pop("status", None)
    search = next(((key, query[key].strip()) for key in search_keys() if query.get(key, "").strip()), None)
    return Filter(**asked, search=search)


def from_input(words: str, base: Filter) -> tuple[Filter, list[str]]:
    """`base` with what somebody typed on top, and the words that no filter explains (a job's id, perhaps).

    `state:failed`, `queue:csv-export`, `task:pdf-ocr`, `owner:acme`, `file_id:…`, or the bare name
    of a state, queue or task.
    """
    found, unexplained = base, []
    for word in words.split():
        name, colon, value = word.partition(":")
        name = next((field for field, spoken in SPOKEN.items() if spoken == name), name)
        if colon and name in PLAIN and value:
            found = _with(found, name, value)
        elif colon and name in search_keys() and value:
            found = replace(found, search=(name, value))
        elif (field := _field_of(word)) is not None:
            found = _with(found, field, word)
        else:
            unexplained.append(word)
    return found, unexplained


def _with(chosen: Filter, name: str, value: str) -> Filter:
    return from_address(chosen.pairs() | {name: value})


def _field_of(word: str) -> str | None:
    known: Iterable[tuple[str, Iterable[str]]] = (("status", set(State)), ("queue", set(Queue)), ("type", REGISTRY))
    return next((field for field, names in known if word in names), None)


def suggestions() -> list[str]:
    """What the input offers while one types."""
    return [
        *(f"state:{state}" for state in State),
        *(f"queue:{queue}" for queue in Queue),
        *(f"task:{name}" for name in sorted(REGISTRY)),
        "owner:",
        *(f"{key}:" for key in search_keys()),
    ]
