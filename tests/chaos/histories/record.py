"""Events of a history, the recorder that appends them to its file, and their reader."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import msgspec

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})
"""Written out here: the checker must not take from the engine what it judges the engine by."""

EVERYONE = 0
"""The pid of a blow that strikes every process, such as the death of the server."""


class Kind(StrEnum):
    """Kinds of events, by the process that sees them."""

    CAMPAIGN = "campaign"
    """The first line: `lease_ms`, and the `seed` of what follows."""
    REQUESTED = "requested"
    """A client sends `request` for the first time or again, under `key` or without one."""
    ANSWERED = "answered"
    """It got `status`, and `job` with a 202; status 0 where no answer came."""
    CANCEL = "cancel"
    """A client's cancel of `job`, sent at `since_ms`, got `status`."""
    RETRY = "retry"
    """An operator's retry of `job`, likewise."""
    READ = "read"
    """A read of the job's status, sent at `since_ms`: `state`, `progress`, `attempt`; status 404 for a job that is gone."""
    BEGUN = "begun"
    """A worker's task begins: `attempt`, `fence`, `worker`, `pid`, and the `request` that its payload names."""
    STEP = "step"
    """The task works on."""
    EFFECT = "effect"
    """The task has had its effect `name`. `guarded` where `run.once`, asked for at `since_ms`, had allowed it."""
    THROUGH = "through"
    """The task is about to return its result."""
    BLOW = "blow"
    """The attacker strikes: `name`, and the `pid` that is struck, or 0."""
    OVER = "over"
    """The same blow is over: what was away is back."""
    CLOSED = "closed"
    """The last line: every job that was accepted has been read after all blows were over."""


class Event(msgspec.Struct, omit_defaults=True, frozen=True):
    """One line of a history. `at_ms` is the machine's monotonic clock, which all its processes share."""

    kind: Kind
    at_ms: float
    job: str = ""
    request: str = ""
    key: str = ""
    status: int = 0
    state: str = ""
    progress: int = -1
    attempt: int = 0
    fence: int = 0
    worker: str = ""
    pid: int = 0
    name: str = ""
    guarded: bool = False
    since_ms: float = 0.0
    lease_ms: int = 0
    seed: int = 0
    note: str = ""


ACTS = frozenset({Kind.BEGUN, Kind.STEP, Kind.EFFECT, Kind.THROUGH})
"""Kinds of entries of a task's deeds: none of them may come from an attempt that is not the newest."""


def monotonic_ms() -> float:
    """Milliseconds of CLOCK_MONOTONIC: the same in every process of the machine, whatever its wall clock is set to."""
    return round(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000, 3)


class Recorder:
    """Appends events to a file, each in one write: a kill -9 of the process leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, kind: Kind, **fields: str | int | float | bool) -> None:
        """Append one event, at this moment."""
        line = msgspec.json.encode(msgspec.convert({"kind": kind, "at_ms": monotonic_ms(), **fields}, Event)) + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


class BadHistory(Exception):
    """The file is not a history. The message says which line, and why."""


@dataclass
class History:
    """The events of one campaign, in order."""

    events: Sequence[Event]
    jobs: dict[str, list[Event]] = field(init=False)
    """Events by job."""
    requests: dict[str, list[Event]] = field(init=False)
    """Events by the client's request, with the beginnings of what came of it."""

    def __post_init__(self) -> None:
        self.events = sorted(self.events, key=lambda event: event.at_ms)
        self.jobs, self.requests = {}, {}
        for event in self.events:
            if event.job:
                self.jobs.setdefault(event.job, []).append(event)
            if event.request:
                self.requests.setdefault(event.request, []).append(event)

    @cached_property
    def accepted(self) -> dict[str, Event]:
        """The first 202 of each job that a client was promised."""
        found: dict[str, Event] = {}
        for event in self.of(Kind.ANSWERED):
            if event.status == 202:
                found.setdefault(event.job, event)
        return found

    @property
    def closed(self) -> bool:
        return any(event.kind is Kind.CLOSED for event in self.events)

    @property
    def campaign(self) -> Event:
        return next((event for event in self.events if event.kind is Kind.CAMPAIGN), Event(Kind.CAMPAIGN, 0.0))

    def of(self, *kinds: Kind) -> Iterator[Event]:
        """Events of some kinds, in order."""
        return (event for event in self.events if event.kind in kinds)


def read_history(path: Path) -> History:
    """The history in a file. Raises BadHistory for what is not one, OSError."""
    decoder = msgspec.json.Decoder(Event)
    events = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            events.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
            raise BadHistory(f"{path}, line {number}: {error}") from None
    if not events or events[0].kind is not Kind.CAMPAIGN:
        raise BadHistory(f"{path} does not begin with the line of its campaign")
    return History(events)
