"""`Terms` of a job: when it may begin and should be done, and which requests ask for the same job."""

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with its time zone."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

Seconds = Annotated[float, msgspec.Meta(gt=0, le=30 * 86_400)]
"""A month at most: keys are kept for that long."""

CallbackUrl = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
"""Checked where its host is looked up, before the job is queued (service/webhooks/addresses.py)."""

DELAYS_MAX = 10
"""Without `max_delay_s` a debounced job begins after so many delays at last, however often it is asked for."""


class Debounce(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests with one key that come close together are one job, of the last one's payload."""

    key: Key
    delay_s: Seconds
    """Each request puts the start off until so long after it."""
    max_delay_s: Seconds | None = None
    """The start is so long after the first request at the latest; 10 × `delay_s` by default."""

    @property
    def longest_s(self) -> float:
        return self.max_delay_s if self.max_delay_s is not None else DELAYS_MAX * self.delay_s


class Throttle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of one key begin once in `every_s` at most: the first at once, and requests in the meantime are one job, of the
    last one's payload, that begins when the time is over."""

    key: Key
    every_s: Seconds


class Replace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """While a job of the key waits to begin, a request gives it its payload, and is that job. It keeps its place."""

    key: Key


class Rerun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One job of the key runs at a time. Requests while it runs are one job, of the last one's payload, that begins when it
    has ended; requests while one waits are that one."""

    key: Key


MERGING = ("unique_key", "debounce", "throttle", "replace", "rerun")
"""Terms by which a request can be another one's job. Each has a rule of its own for that, so a request has one at most."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All optional. Times are moments with a zone."""

    schedule_at: Moment | None = None
    """Not before."""
    not_after: Moment | None = None
    """A job that could not begin by then expires."""
    deadline: Moment | None = None
    """Among the waiting jobs of an owner, the first deadline takes the owner's next turn."""
    unique_key: Key | None = None
    """Requests of one owner, type and key are one job."""
    unique_for_s: Seconds | None = None
    """For so long after the job was accepted; until it has ended where this is not given."""
    debounce: Debounce | None = None
    throttle: Throttle | None = None
    replace: Replace | None = None
    rerun: Rerun | None = None
    callback_url: CallbackUrl | None = None
    """Gets a signed POST when the job has ended, whichever way (docs/webhooks.md)."""

    def problem(self, now: datetime) -> tuple[str, str] | None:
        """The field that makes no sense and a sentence that says why, or None."""
        for field in ("schedule_at", "not_after", "deadline"):
            moment: datetime | None = getattr(self, field)
            if moment is not None and moment < now:
                return field, f"{field} is in the past: {moment.isoformat()}."
        if self.schedule_at and self.not_after and self.not_after < self.schedule_at:
            return "not_after", "not_after is before schedule_at: the job could never begin."
        if self.unique_for_s is not None and self.unique_key is None:
            return "unique_for_s", "unique_for_s says how long a unique_key holds, and there is none."
        merging = [name for name in MERGING if getattr(self, name) is not None]
        if len(merging) > 1:
            either = " or ".join(merging)
            return merging[1], f"Either {either}: each has a rule of its own for requests that mean the same job."
        if self.schedule_at and merging and merging != ["unique_key"]:
            return merging[0], f"{merging[0]} decides when the job begins: leave schedule_at out."
        if self.debounce and self.debounce.longest_s < self.debounce.delay_s:
            return "debounce.max_delay_s", "max_delay_s is shorter than delay_s."
        return None


NO_TERMS = Terms()


def to_ms(moment: datetime | None) -> int:
    """Milliseconds since the epoch; 0 for None."""
    return int(moment.timestamp() * 1000) if moment else 0
