"""The past moment that an address names, and the minute, hour or day around it."""

from dataclasses import dataclass

from dashboard.capsule.figures import EACH_MS, HOURS_KEPT_MS, MINUTES_KEPT_MS
from dashboard.capsule.span import AHEAD_MS, KEPT_DAYS, read_moment
from dashboard.formats import DAY_MS
from service.monitoring.metrics import Tier
from tasks.sdk.errors import Refused

TIERS: tuple[Tier, ...] = ("minute", "hour", "day")
KEPT_MS: dict[Tier, int] = {"minute": MINUTES_KEPT_MS, "hour": HOURS_KEPT_MS, "day": KEPT_DAYS * DAY_MS}


@dataclass(frozen=True)
class PastMoment:
    """A moment (ms), and the piece of time that is shown of it. `coarser` is True where a finer one is no longer kept."""

    at_ms: int
    tier: Tier
    coarser: bool
    now_ms: int

    @property
    def number(self) -> int:
        """The piece's number since the epoch."""
        return self.at_ms // EACH_MS[self.tier]

    @property
    def first_ms(self) -> int:
        return self.number * EACH_MS[self.tier]

    @property
    def last_ms(self) -> int:
        """Its last millisecond, or the present one."""
        return min(self.first_ms + EACH_MS[self.tier] - 1, self.now_ms)

    def moved(self, tier: Tier, by: int) -> int | None:
        """The moment so many pieces later or earlier; None where it would lie in the future or is not kept."""
        at_ms = self.at_ms + by * EACH_MS[tier]
        return at_ms if self.now_ms - KEPT_MS["day"] < at_ms <= self.now_ms else None


def read_past(at: str, each: str, now_ms: int) -> PastMoment:
    """The moment `at`: ms since the epoch, a time of ISO 8601, or an age. Raises Refused (400) with one sentence."""
    text = at.strip()
    at_ms = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else read_moment(text, "at", now_ms)
    if at_ms > now_ms + AHEAD_MS:
        raise Refused("That moment lies in the future.", field="at")
    if now_ms - at_ms > KEPT_MS["day"]:
        raise Refused(f"Nothing is kept for longer than {KEPT_DAYS} days.", field="at")
    if each and each not in TIERS:
        raise Refused(f"A moment is shown by minute, hour or day, not by {each[:40]}.", field="each")
    at_ms = min(at_ms, now_ms)
    kept = [tier for tier in TIERS if now_ms - at_ms < KEPT_MS[tier]] or ["day"]
    wanted = next((tier for tier in TIERS if tier == each), kept[0])
    tier = wanted if wanted in kept else kept[0]
    return PastMoment(at_ms, tier, tier != wanted, now_ms)
