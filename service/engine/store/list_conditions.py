"""Conditions on lists that are kept with a job: its log and its attempts. To read them costs more than to read a record."""

import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.sealing import MARK_BYTES, SEALING
from service.engine.store import keys
from service.engine.store.conditions import Fields, OneOf
from service.engine.store.records import Attempt, LogLine
from service.lib.encryption import Unreadable

JOBS_AT_ONCE = 25
"""Jobs whose lists one round trip reads: with the longest logs some 10 MB."""

JOBS_MAX = 1_000
"""Jobs whose lists one request reads."""

BYTES_MAX = 16_000_000
"""Bytes of lists after which a request reads no more: bounds its time where logs are long."""


@dataclass(frozen=True)
class ListCondition:
    """A condition on a list of a job. A negated one holds where it would not."""

    negated: bool
    values: tuple[str, ...]

    @abstractmethod
    def key(self, job_id: str) -> str:
        """The list."""

    @abstractmethod
    def met(self, rows: Sequence[bytes]) -> bool:
        """True where the list is as the condition says, without its sign."""


@dataclass(frozen=True)
class LogText(ListCondition):
    """One of the texts stands in a line of the log, in its event or in a field, in capitals or not."""

    def key(self, job_id: str) -> str:
        return keys.log(job_id)

    def met(self, rows: Sequence[bytes]) -> bool:
        return any(self._in_line(row) for row in rows)

    def _in_line(self, row: bytes) -> bool:
        texts = [text.casefold() for text in self.values]
        raw = row.decode(errors="replace").casefold()
        # Cheap first: most lines have nothing of it. A line that has it in its JSON may have it across two fields.
        if not any(dumps(text, ensure_ascii=False)[1:-1] in raw for text in texts):
            return False
        line = msgspec.json.decode(row, type=LogLine)
        return any(text in one.casefold() for text in texts for one in (line.event, *line.fields.values()))


@dataclass(frozen=True)
class AttemptedBy(ListCondition):
    """One of the workers has made an attempt that has ended. The one that runs is in the record's field `worker`."""

    def key(self, job_id: str) -> str:
        return keys.attempts(job_id)

    def met(self, rows: Sequence[bytes]) -> bool:
        return any(msgspec.json.decode(row, type=Attempt).worker in self.values for row in rows)


def running_on(condition: AttemptedBy) -> OneOf:
    """The same of the attempt that runs."""
    return OneOf(False, "worker", condition.values)


async def lists_of(redis: Client, job_ids: Sequence[str], conditions: Sequence[ListCondition]) -> list[list[Any]]:
    """For each job its lists, in the order of the conditions."""
    pipe = redis.pipeline(transaction=False)
    for job_id in job_ids:
        for condition in conditions:
            pipe.lrange(condition.key(job_id), 0, -1)
    rows = await pipe.execute()
    width = len(conditions)
    return [[_opened(job_id, lines) for lines in rows[n * width : (n + 1) * width]] for n, job_id in enumerate(job_ids)]


def _opened(job_id: str, rows: Sequence[bytes]) -> Sequence[bytes]:
    """Rows with those of a log that are encrypted as they were; one that cannot be read has nothing that is looked for."""
    found = []
    for row in rows:
        if row.startswith(MARK_BYTES):
            with contextlib.suppress(Unreadable):
                found.append(SEALING.open(row, job_id, "log").encode())
        else:
            found.append(row)
    return found


def all_fit(conditions: Sequence[ListCondition], lists: Sequence[Sequence[bytes]], fields: Fields) -> bool:
    """True where a job's lists, and the field of the worker that runs it, meet all conditions."""
    return all(_fits(one, rows, fields) for one, rows in zip(conditions, lists, strict=True))


def _fits(condition: ListCondition, rows: Sequence[bytes], fields: Fields) -> bool:
    met = condition.met(rows) or (isinstance(condition, AttemptedBy) and running_on(condition).met(fields))
    return met != condition.negated
