"""Keys of the language, and what may stand behind each."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import StrEnum

from service.engine.states import State
from service.engine.store.run_history import ORIGIN, TAG
from service.lib.text import listed, with_stop
from settings.queues import Queue
from tasks.sdk.types import REGISTRY


class Kind(StrEnum):
    """Kind of a key's values."""

    CHOICE = "one of some names"
    EXACT = "a value that the job has exactly"
    TEXT = "a part of a text"
    MOMENT = "a time"
    DURATION = "a length of time"
    NUMBER = "a number"


KINDS: dict[str, Kind] = {
    "state": Kind.CHOICE,
    "queue": Kind.CHOICE,
    "task": Kind.CHOICE,
    "owner": Kind.EXACT,
    "priority": Kind.CHOICE,
    "attempt": Kind.NUMBER,
    "worker": Kind.EXACT,
    "created": Kind.MOMENT,
    "started": Kind.MOMENT,
    "finished": Kind.MOMENT,
    "waited": Kind.DURATION,
    "took": Kind.DURATION,
    "error": Kind.TEXT,
    "log": Kind.TEXT,
    "fingerprint": Kind.EXACT,
    "file": Kind.TEXT,
}
"""Keys that every job has, in the order in which they are suggested. Search keys of job types come on top."""

ALIASES = {"status": "state", "type": "task"}
"""Names of the API's parameters, which mean the same."""

SHOWN = 80
"""Characters of a wrong word that its sentence repeats."""

PRIORITIES = ("high", "normal", "low")

EXAMPLES = {
    Kind.MOMENT: (">2h", "2026-11-01..2026-11-05"),
    Kind.DURATION: (">30s",),
    Kind.NUMBER: (">1",),
    Kind.TEXT: ("",),
    Kind.EXACT: ("",),
}


def search_keys() -> list[str]:
    """Payload fields by which jobs can be found, over all declared job types, the job that they repeat, and tags."""
    return sorted({ORIGIN, TAG, *(key for job_type in REGISTRY.values() for key in job_type.search_keys)})


def personal_keys() -> list[str]:
    """Keys that search what may be personal: names of files, texts that may repeat a payload, fields declared personal.

    Their values are hidden from some users, who must not find out by search what they may not read.
    """
    declared = {key for job_type in REGISTRY.values() for key in job_type.search_keys if key in job_type.personal}
    return ["file", "error", "log", *sorted(declared)]


def all_keys() -> list[str]:
    """All keys, in the order in which they are suggested."""
    return [*KINDS, *(key for key in search_keys() if key not in KINDS)]


def kind_of(key: str) -> Kind | None:
    """Kind of a key's values; None for what is not a key."""
    return KINDS.get(key) or (Kind.EXACT if key in search_keys() else None)


def choices(key: str) -> Sequence[str]:
    """The names that a CHOICE may have."""
    known: dict[str, Iterable[str]] = {"state": State, "queue": Queue, "task": sorted(REGISTRY), "priority": PRIORITIES}
    return [str(name) for name in known[key]]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that a mistyped word is most like; None where none is."""
    names = list(known)
    return next(iter(get_close_matches(word.lower(), names, n=1, cutoff=0.6)), None) or next(
        (name for name in names if len(word) > 1 and name.startswith(word.lower())), None
    )


def no_such(key: str, value: str) -> str:
    """The sentence for a name that a key has not, with the nearest that it has."""
    known = choices(key)
    close = nearest(value, known)
    return with_stop(
        f"There is no {key} {value[:SHOWN]}: {f'do you mean {close}?' if close else f'there are {listed(known)}'}"
    )


def suggestions() -> list[str]:
    """Completions that an input offers."""
    return [
        f"{key}:{value}"
        for key in all_keys()
        for value in (choices(key) if kind_of(key) is Kind.CHOICE else EXAMPLES[kind_of(key) or Kind.EXACT])
    ]
