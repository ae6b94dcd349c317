"""Conditions of alerts, and the step from what an address has been told to what it is to be told next.

Ends of jobs are counted by the scripts and only rise; an address knows the numbers that it was told of. Limits and waiting are
levels: told as they are crossed, and again only after they have fallen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Condition = Literal["failed", "incomplete", "limits", "waiting"]

CONDITIONS: tuple[Condition, ...] = ("failed", "incomplete", "limits", "waiting")

ENDS = ("failed", "incomplete")
"""Conditions that the scripts count (finish_job.lua, settle.lua)."""

IDS_KEPT = 10
"""Ids of the last ends that are kept for each kind, and named in a message. finish_job.lua has the same number."""

NEAR, REACHED = 0.8, 1.0
"""Shares of a limit at which it is near and reached."""

FALLEN = 0.7
"""Share below which a limit that was told of may be told of again: one that goes to and fro around NEAR sends nothing more."""


class LimitNews(msgspec.Struct, frozen=True):
    """A limit that came near or was reached: a field of the plan, its use and its limit, and when that was seen (ms)."""

    field: str
    level: int
    """1: near; 2: reached."""
    used: int
    limit: int
    at_ms: int


class WaitNews(msgspec.Struct, frozen=True):
    """The job that waits longest: its id, since when, and when that was seen (ms)."""

    job_id: str
    since_ms: int
    at_ms: int


class Progress(msgspec.Struct):
    """Events that an address knows, and those since that it does not."""

    seen: dict[str, dict[str, int]] = {}
    """Numbers of ends that it knows, by queue server and kind."""
    sent_ms: dict[str, int] = {}
    """When each condition was last told of."""
    levels: dict[str, int] = {}
    """Level of each limit that was noted."""
    risen: list[LimitNews] = []
    over: bool = False
    """True while the oldest job is over the address's time."""
    waited: WaitNews | None = None


class JobLine(msgspec.Struct, frozen=True):
    """A job in a message. One that is not `linked` may be read by keys with a right that a link lacks, or is gone."""

    job_id: str
    type: str
    ended_ms: int | None
    linked: bool


class News(msgspec.Struct):
    """Contents of one message."""

    failed: int = 0
    incomplete: int = 0
    ids: dict[str, list[str]] = {}
    """Ids of the last ends by kind, newest first."""
    limits: list[LimitNews] = []
    waiting: WaitNews | None = None
    jobs: dict[str, JobLine] = {}
    """Jobs that it names, by id."""

    def named(self) -> list[str]:
        """Ids of the jobs that it names."""
        ids = [one for some in self.ids.values() for one in some]
        return [*ids, *([self.waiting.job_id] if self.waiting else [])]


@dataclass(frozen=True)
class Use:
    """Use of a limit."""

    field: str
    used: int
    limit: int

    @property
    def share(self) -> float:
        """Used part; of a limit of nothing all is used."""
        return self.used / self.limit if self.limit else REACHED


@dataclass(frozen=True)
class Reading:
    """State of an owner at a moment (ms)."""

    at_ms: int
    ends: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Fields of keys.ends by queue server, of those that answered."""
    use: Sequence[Use] = ()
    oldest: tuple[int, str] | None = None
    """Since when the job that waits longest waits (ms), and its id."""
    whole: bool = True
    """False where a queue server did not answer: waiting jobs there are not seen, and nothing is drawn from that."""


def counted(ends: Mapping[str, Mapping[str, str]], kinds: Collection[str] = ENDS) -> dict[str, dict[str, int]]:
    """Numbers of ends by queue server and kind."""
    return {place: {kind: int(fields.get(kind, 0)) for kind in kinds} for place, fields in ends.items()}


def step(
    progress: Progress, conditions: Collection[str], every_ms: int, waiting_ms: int, reading: Reading
) -> News | None:
    """Take `progress` on to a reading. Returns the message that is due, None where none is."""
    if "limits" in conditions and reading.whole:
        _note_limits(progress, reading)
    if "waiting" in conditions and reading.whole:
        _note_waiting(progress, waiting_ms, reading)
    news = News()
    due: list[str] = []
    for condition in conditions:
        last_ms = progress.sent_ms.get(condition)
        if last_ms is not None and reading.at_ms - last_ms < every_ms:
            continue
        if _tell(news, condition, progress, reading):
            due.append(condition)
    for condition in due:
        progress.sent_ms[condition] = reading.at_ms
    return news if due else None


def _note_limits(progress: Progress, reading: Reading) -> None:
    for one in reading.use:
        level = 2 if one.share >= REACHED else 1 if one.share >= NEAR else 0
        if level > progress.levels.get(one.field, 0):
            progress.levels[one.field] = level
            # Of a limit that came near and was reached before it could be told, the later is told.
            progress.risen = [risen for risen in progress.risen if risen.field != one.field]
            progress.risen.append(LimitNews(one.field, level, one.used, one.limit, reading.at_ms))
        elif one.share < FALLEN:
            progress.levels.pop(one.field, None)


def _note_waiting(progress: Progress, waiting_ms: int, reading: Reading) -> None:
    over = reading.oldest is not None and reading.at_ms - reading.oldest[0] > waiting_ms
    if over and not progress.over and reading.oldest is not None:
        progress.waited = WaitNews(reading.oldest[1], reading.oldest[0], reading.at_ms)
    progress.over = over


def _tell(news: News, condition: str, progress: Progress, reading: Reading) -> bool:
    """Move what is to be told of a condition from `progress` into `news`. Returns whether there is any."""
    if condition == "limits":
        news.limits, progress.risen = progress.risen, []
        return bool(news.limits)
    if condition == "waiting":
        news.waiting, progress.waited = progress.waited, None
        return news.waiting is not None
    number, ids = _new_ends(condition, progress, reading)
    setattr(news, condition, number)
    if ids:
        news.ids[condition] = ids[:IDS_KEPT]
    return number > 0


def _new_ends(kind: str, progress: Progress, reading: Reading) -> tuple[int, list[str]]:
    """Number of ends since the last message, and the ids of the last of them, newest first."""
    number, ids = 0, list[str]()
    for place, fields in reading.ends.items():
        total, seen = int(fields.get(kind, 0)), progress.seen.get(place, {}).get(kind, 0)
        # A server that has lost its data counts from the beginning.
        new = total - seen if total >= seen else total
        number += new
        for one in range(total, total - min(new, IDS_KEPT), -1):
            if job_id := fields.get(f"{kind}:{one % IDS_KEPT}"):
                ids.append(job_id)
        if total != seen:
            progress.seen.setdefault(place, {})[kind] = total
    return number, ids
