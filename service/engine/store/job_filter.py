"""A filter over jobs: what of it indexes answer, and what is held against each record."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.sealing import SEALING
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.conditions import Condition, OneOf
from service.engine.store.list_conditions import ListCondition
from service.engine.store.records import Job

WIDE = 20
"""Indexes of one group from which on it leads: to hold each against the others' ids would cost more."""


def indexes_of(key: str, value: str) -> tuple[str, ...]:
    """Indexes of the jobs that have a value under a search key: one for each key of encryption that may have made it."""
    return tuple(keys.found_by(key, one) for one in SEALING.finds(key, value))


def index_of_cause(fingerprint: str) -> str:
    """The index of the jobs that have failed of a cause."""
    return keys.error_jobs(fingerprint)


@dataclass(slots=True, frozen=True)
class JobFilter:
    """A filter over jobs; None fits everything. `search` is a declared key with its value, such as ("file_id", "file-1")."""

    queue: str | None = None
    state: str | None = None
    type: str | None = None
    owner: str | None = None
    search: tuple[str, str] | None = None
    fingerprint: str | None = None
    any_of: tuple[tuple[str, str], ...] = ()
    """Search keys with their values, of which a job has at least one: a file's name may stand for several ids."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Groups of indexes; a job stands in at least one of each."""
    unless: tuple[str, ...] = ()
    """Indexes in which a job does not stand."""
    created: tuple[int | None, int | None] = (None, None)
    """Creation stamps (µs): from the first on and before the second."""
    conditions: tuple[Condition, ...] = ()
    """Conditions on the record of each candidate."""
    lists: tuple[ListCondition, ...] = ()
    """Conditions on the candidates' logs and attempts."""

    @property
    def plain(self) -> dict[str, str]:
        """Parts of the filter that a record itself bears out."""
        named = {"queue": self.queue, "state": self.state, "type": self.type, "owner": self.owner}
        return {name: value for name, value in named.items() if value is not None}

    def fits(self, job: Job) -> bool:
        return all(getattr(job, name) == value for name, value in self.plain.items())

    @property
    def memberships(self) -> list[tuple[str, ...]]:
        """Groups of indexes that no record's field tells for certain; a job stands in at least one of each."""
        found: list[tuple[str, ...]] = [indexes_of(*self.search)] if self.search else []
        found += [(keys.error_jobs(self.fingerprint),)] if self.fingerprint else []
        found += [tuple(index for pair in self.any_of for index in indexes_of(*pair))] if self.any_of else []
        return [*found, *self.groups]

    @property
    def states(self) -> list[str]:
        """States that a job may be in."""
        return self.among("state", [str(state) for state in State])

    def among(self, name: str, known: Sequence[str]) -> list[str]:
        """Those of some values of a record's field that fit."""
        own = self.plain.get(name)
        conditions = [one for one in self.conditions if isinstance(one, OneOf) and one.name == name]
        return [
            value
            for value in known
            if own in (None, value) and all((value in one.values) != one.negated for one in conditions)
        ]

    def named(self, name: str) -> list[str] | None:
        """The values of a record's field that are named; None where the filter names none."""
        own = self.plain.get(name)
        named = [
            one.values for one in self.conditions if isinstance(one, OneOf) and one.name == name and not one.negated
        ]
        if own is None and not named:
            return None
        return self.among(name, [own] if own is not None else list(named[0]))

    @property
    def led_by_types(self) -> bool:
        """True where the indexes of all the queues' types hold what fits; a named type, or an owner alone, needs no others."""
        if self.named("type") is not None or any(len(group) > WIDE for group in self.memberships):
            return False
        return self.named("queue") is not None or not (self.memberships or self.named("owner") is not None)

    def leaders(self, types: Sequence[str]) -> list[Sequence[str]]:
        """Groups of indexes, each of which together hold all that fits, and perhaps more.

        `types` are the queues'; they are looked at only where `led_by_types`.
        """
        groups: list[Sequence[str]] = list(self.memberships)
        if wide := [group for group in groups if len(group) > WIDE]:
            return [min(wide, key=len)]
        owners, named = self.named("owner"), self.named("type")
        if owners is not None:
            groups.append([keys.by_owner(owner, state) for owner in owners for state in self.states])
        if named is not None or self.led_by_types:
            chosen = named if named is not None else self.among("type", types)
            groups.append([keys.by_type(name, state) for name in chosen for state in self.states])
        return groups
