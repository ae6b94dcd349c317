"""The filter of the jobs page: in the address, in one input, as chips, and in words.

What the language (docs/finding-jobs.md) says with one plain value has a part of the address of its own; all else stands in
`where`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dashboard.list_urls import given, list_address
from service.documents.matching import Files, with_ids
from service.engine.job_query import Term, as_text, job_filter, parse, search_keys
from service.engine.job_query.keys import all_keys, choices, nearest, no_such, personal_keys
from service.engine.states import State
from service.engine.store import JobFilter

PATH = "/admin/jobs"
PLAIN = ("status", "queue", "type", "owner", "file")
WHERE = "where"
FINGERPRINT = "fingerprint"

ALL = {"all": "1"}
"""The address's part of all jobs."""

PERSONAL_FILTERS = tuple(key for key in personal_keys() if key in PLAIN or key in search_keys())
"""Parts of the address that search personal data: a name that is found is known to be there."""

SPOKEN = {"status": "state", "type": "task"}
"""Names of the address's parts for readers."""

PARTS = {SPOKEN.get(name, name): name for name in PLAIN}
"""Parts of the address, by key of the language."""


@dataclass(frozen=True)
class Chip:
    """One part of a filter: `words` for the reader, `without` the address that leaves it out."""

    words: str
    without: str


@dataclass(frozen=True)
class Filter:
    """A filter of jobs. `search` is a declared search key with its value, such as ("file_id", "file-1"); `file` is a part
    of the name of a document that a job works on; `more` are all other conditions.

    `left_out` are sentences about parts of the address that mean nothing, and `gone` about names that are not declared
    (any more), by which jobs are looked for all the same.
    """

    status: str | None = None
    queue: str | None = None
    type: str | None = None
    owner: str | None = None
    file: str | None = None
    search: tuple[str, str] | None = None
    more: tuple[Term, ...] = ()
    left_out: tuple[str, ...] = field(default=(), compare=False)
    gone: tuple[str, ...] = field(default=(), compare=False)

    def pairs(self) -> dict[str, str]:
        """The filter as the address carries it."""
        plain = {name: value for name in PLAIN if (value := getattr(self, name))}
        return plain | dict([self.search] if self.search else []) | ({WHERE: as_text(self.more)} if self.more else {})

    def terms(self) -> list[Term]:
        """The filter in the language."""
        plain = {key: getattr(self, name) for key, name in PARTS.items()} | dict([self.search] if self.search else [])
        return [*(Term(key, (value,)) for key, value in plain.items() if value), *self.more]

    def wanted(self, now_ms: int, files: Files) -> JobFilter:
        """The filter as the store reads it; `files` are the documents that `file:` stands for."""
        return job_filter(self.terms(), now_ms, files=files.ids)

    @property
    def personal(self) -> list[str]:
        """Keys of the filter that search what may be personal."""
        return [term.key for term in self.terms() if term.key in personal_keys()]

    def address(self, **changes: Any) -> str:
        """The address of the jobs page with this filter, changed."""
        return address_of(replace(self, **changes).pairs())

    @property
    def saving(self) -> str:
        """The address of the form that saves the filter as a view."""
        return list_address("/admin/views", self.pairs())

    def chips(self) -> list[Chip]:
        pairs = self.pairs()
        pairs.pop(WHERE, None)
        return [
            *(Chip(f"{SPOKEN.get(name, name)}: {value}", self.without(name)) for name, value in pairs.items()),
            *(Chip(str(one), self.address(more=tuple(t for t in self.more if t != one))) for one in self.more),
        ]

    def without(self, name: str) -> str:
        """The address that leaves one of its parts out."""
        return address_of(self.pairs() | {name: ""})

    def plus(self, term: Term) -> "Filter":
        """The filter with one more condition. It takes the place of one that names other values for the same."""
        if term.negated or len(term.values) > 1:
            cleared = {} if term.negated else self._cleared(term.key)
            return replace(self, **cleared, more=(*self._others(term), term))
        if term.key in PARTS:
            plain: dict[str, Any] = {PARTS[term.key]: term.values[0]}
            return replace(self, **plain, more=self._others(term))
        if term.key in search_keys() and (self.search is None or self.search[0] == term.key):
            return replace(self, search=(term.key, term.values[0]), more=self._others(term))
        return self if term in self.more else replace(self, more=(*self.more, term))

    def _cleared(self, key: str) -> dict[str, Any]:
        if key in PARTS:
            return {PARTS[key]: None}
        return {"search": None} if self.search and self.search[0] == key else {}

    def _others(self, term: Term) -> tuple[Term, ...]:
        """The other conditions, without those of names that the term takes the place of."""
        named = term.key in PARTS or term.key in search_keys()
        return tuple(
            one
            for one in self.more
            if one != term and not (named and one.key == term.key and one.negated == term.negated)
        )


@dataclass(frozen=True)
class Typed:
    """Words that were typed: the filter with what they add, `words` that no name explains (a job's id or a file's name,
    perhaps), and sentences about what is wrong."""

    filter: Filter
    words: list[str]
    problems: list[str]


def address_of(pairs: Mapping[str, str]) -> str:
    """The address of the jobs page with a filter. That of all jobs says so: without anything the page opens with the user's
    default view."""
    return list_address(PATH, pairs if any(pairs.values()) else ALL)


def from_address(query: Mapping[str, str]) -> Filter:
    """The filter in an address. Unknown parameters are passed over: mail programs add theirs to links."""
    chosen = given(query, PLAIN)
    left_out = []
    if "status" in chosen and chosen["status"] not in set(State):
        left_out.append(no_such("state", chosen.pop("status")))
    gone = [
        no_such(key, value)
        for key in ("queue", "task")
        if (value := chosen.get(PARTS[key])) and value not in choices(key)
    ]
    search = next(((key, query[key].strip()) for key in search_keys() if query.get(key, "").strip()), None)
    parsed = with_ids(parse(query.get(WHERE, "")))
    cause = (Term(FINGERPRINT, (query[FINGERPRINT],)),) if query.get(FINGERPRINT) else ()
    return Filter(
        **chosen,
        search=search,
        more=tuple(dict.fromkeys((*parsed.terms, *cause))),
        left_out=(*left_out, *parsed.problems, *(f"{word[:80]} has no key." for word in parsed.words)),
        gone=(*gone, *parsed.gone),
    )


def from_text(text: str) -> Filter:
    """The filter that a query means, with what it names that does not exist (any more)."""
    found = from_address({WHERE: text})
    folded = Filter(left_out=found.left_out, gone=found.gone)
    for term in found.more:
        folded = folded.plus(term)
    # One that names two states, for example, must stay one that fits nothing.
    return folded if set(folded.terms()) == set(found.more) else found


def from_input(words: str, base: Filter) -> Typed:
    """`base` with the typed words on top, such as `state:failed took:>30s -owner:acme`, `file:"two words.pdf"`, the bare id of
    a file, or the bare name of a state, queue or task."""
    parsed = with_ids(parse(words))
    found = base
    for term in parsed.terms:
        found = found.plus(term)
    return Typed(found, list(parsed.words), [*parsed.problems, *parsed.gone])


def nothing_called(words: list[str]) -> str:
    """The sentence for words that mean nothing, with the nearest key where one is like it."""
    nothing = " ".join(words)
    close = nearest(nothing, all_keys())
    return (
        f"Nothing is called {nothing[:200]}: no job, file, state, queue or task"
        f"{f'; write {close}:…?' if close else ', and no search key such as file_id:…'}."
    )
