"""`Hold`: an operator's pause, limit or mute, with its reason, until it is removed or its time is over."""

import msgspec

from service.lib.clock import now_ms

REASON_MAX = 500
"""Characters of a reason that are kept."""


class Hold(msgspec.Struct, frozen=True):
    """Times in ms since the epoch; `until_ms` None means until an operator removes it."""

    reason: str
    by: str
    since_ms: int
    until_ms: int | None = None
    value: int = 0
    """Jobs at a time for a limit, units per minute for a rate; 0 for a pause and a mute."""

    def over(self, at_ms: int) -> bool:
        """True once its time has passed."""
        return self.until_ms is not None and self.until_ms <= at_ms


def hold(reason: str, by: str, until_ms: int | None = None, value: int = 0) -> Hold:
    """A hold that begins now. Raises ValueError where no reason is given or the end is in the past.

    `by` is the operator's name, `until_ms` (since the epoch) None until it is removed, `value` as in `Hold`. A reason is cut
    after REASON_MAX characters.
    """
    at_ms = now_ms()
    if not reason.strip():
        raise ValueError("give a reason: other operators will want to know")
    if until_ms is not None and until_ms <= at_ms:
        raise ValueError("the end is in the past")
    return Hold(reason.strip()[:REASON_MAX], by, at_ms, until_ms, value)
