"""Throttle and trace of failed credentials: API keys, tickets and passwords, by address and by dashboard user.

A process decides by what it knows itself, so that no request waits for Redis; Redis adds up what the processes know, and a
process learns the sum with each failure that it reports. Only digests under a key of the installation are kept.
"""

import asyncio
import hashlib
import hmac
import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address, ip_network
from time import monotonic

import structlog
from redis.exceptions import RedisError

from service.access import keys
from service.engine.redis.client import Client
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings.amounts import counted

WINDOW_S = 60
"""Seconds for which a failure counts."""

REPEATS_PER_LIMIT = 30
"""Times that one and the same wrong credential may come, as a multiple of the limit of different ones: a misconfigured
client repeats itself and guesses nothing, so it is slowed down alone, and its neighbours behind one address are not.
"""

GOOD_S = 3_600
"""Seconds after its last use in which a valid key or ticket passes although its address is throttled, and a valid password
from an address where it was used: its user goes on, and a guesser elsewhere is not looked at even with the right one.
"""

KEPT_MAX = 10_000
"""Subjects, and valid credentials, in memory: a few megabytes. The oldest are forgotten first."""

TRACED_PER_WINDOW = 60
"""Lines that a process writes to the audit log in a window: a stranger must not be able to fill the database."""

REPORTS_MAX = 100
"""Reports to Redis under way at a time; more are left out, and this process counts alone."""

log = structlog.get_logger("offload.access")


class Kind(StrEnum):
    """Kind of a credential."""

    API_KEY = "api-key"
    TICKET = "ticket"
    PASSWORD = "password"
    OIDC = "oidc"
    PROXY = "proxy"


@dataclass(frozen=True)
class Attempt:
    """A credential that was sent. `user` is the name that came with a password, `known` whether there is such a user."""

    kind: Kind
    address: str
    credential: str = field(repr=False)
    user: str = ""
    known: bool = False
    reason: str = ""
    """Fault, where it is more than that the credential is another one."""


class TooManyFailures(Exception):
    """Too many wrong credentials came from an address, or for a user. The credential was not looked at."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many failed attempts: try again in {counted(retry_after_s, 'second')}.")
        self.retry_after_s = retry_after_s


@dataclass
class _Window:
    """Failures of a subject until `ends_s` of the monotonic clock; `elsewhere` is the sum of all processes."""

    ends_s: float
    digests: set[str] = field(default_factory=set)
    repeats: dict[str, int] = field(default_factory=dict)
    elsewhere: int = 0
    throttled: int = 0
    """Credentials that were not looked at. Those that were valid lately pass so many of them, and then no more: a guesser behind
    the same address would find out by the one that passes."""

    def full(self, limit: int, digest: str) -> bool:
        different = max(len(self.digests), self.elsewhere)
        return different >= limit or self.repeats.get(digest, 0) >= limit * REPEATS_PER_LIMIT


class FailedAttempts:
    """Counts failures. `per_minute` different wrong credentials are checked per address and per user, and no more."""

    def __init__(self, redis: Client, audit: Audit, secret: bytes, per_minute: int) -> None:
        self.redis, self.audit, self.secret, self.per_minute = redis, audit, secret, per_minute
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._good: OrderedDict[str, float] = OrderedDict()
        self._reporting: set[asyncio.Task[None]] = set()
        self._traced, self._traced_until_s = 0, 0.0

    def check(self, attempt: Attempt) -> None:
        """Raise TooManyFailures where the credential is not to be looked at."""
        digest = self._digest(attempt.credential, attempt.user)
        full = list(self._full(attempt, digest)) if self._windows else []
        most = self.per_minute * REPEATS_PER_LIMIT
        if not full or (self._passes(attempt, digest) and all(window.throttled < most for window in full)):
            return
        for window in full:
            window.throttled += 1
        self._report(attempt.kind, "throttled", ())
        raise TooManyFailures(max(1, math.ceil(max(window.ends_s for window in full) - monotonic())))

    def succeeded(self, attempt: Attempt) -> None:
        """Remember a valid credential, and that its user was at this address."""
        for good in (self._digest(attempt.credential, attempt.user), *self._visits(attempt)):
            self._good[good] = monotonic()
            self._good.move_to_end(good)
        while len(self._good) > KEPT_MAX:
            self._good.popitem(last=False)

    def failed(self, attempt: Attempt) -> None:
        """Count a wrong credential, and write it to the log; the first and the last of a window to the audit log too."""
        digest = self._digest(attempt.credential, attempt.user)
        self._good.pop(digest, None)
        for subject in self._subjects(attempt):
            window = self._window(subject)
            window.digests.add(digest)
            window.repeats[digest] = window.repeats.get(digest, 0) + 1
            first, full = sum(window.repeats.values()) == 1, window.full(self.per_minute, digest)
            if first or (full and window.repeats[digest] in (1, self.per_minute * REPEATS_PER_LIMIT)):
                self._trace(attempt, throttled=full)
        log.warning("credential.refused", kind=str(attempt.kind), address=attempt.address, user=_shown(attempt))
        self._report(attempt.kind, "refused", [(subject, digest) for subject in self._subjects(attempt)])

    def refused(self, attempt: Attempt) -> None:
        """Count and trace a sign-in that no guess has failed: nothing is throttled for it."""
        log.warning("credential.refused", kind=str(attempt.kind), address=attempt.address, user=_shown(attempt))
        self._trace(attempt, throttled=False)
        self._report(attempt.kind, "refused", ())

    async def counts(self) -> dict[tuple[str, str], int]:
        """Refused credentials of all processes by kind and outcome (refused, throttled)."""
        found = await self.redis.hgetall(keys.REFUSED)
        known = {tuple(name.decode().split(":")): int(number) for name, number in found.items()}
        return {
            (str(kind), outcome): known.get((str(kind), outcome), 0)
            for kind in Kind
            for outcome in ("refused", "throttled")
        }

    async def close(self) -> None:
        """Let the last reports be made."""
        await asyncio.gather(*self._reporting, return_exceptions=True)

    def _full(self, attempt: Attempt, digest: str) -> Iterable[_Window]:
        now = monotonic()
        for subject in self._subjects(attempt):
            window = self._windows.get(subject)
            if window is not None and window.ends_s > now and window.full(self.per_minute, digest):
                yield window

    def _subjects(self, attempt: Attempt) -> list[str]:
        """The address, and the user unless it has lately signed in from there: strangers cannot lock a user out."""
        subjects = [f"address:{self._digest(network_of(attempt.address))}"]
        if attempt.user and not any(map(self._is_good, self._visits(attempt))):
            subjects.append(f"user:{self._digest(attempt.user)}")
        return subjects

    def _visits(self, attempt: Attempt) -> list[str]:
        return [self._digest(attempt.user, network_of(attempt.address))] if attempt.user else []

    def _passes(self, attempt: Attempt, digest: str) -> bool:
        """True for a credential that was valid lately: a password from where its user has signed in only."""
        return self._is_good(digest) and (not attempt.user or any(map(self._is_good, self._visits(attempt))))

    def _is_good(self, digest: str) -> bool:
        return monotonic() - self._good.get(digest, -math.inf) < GOOD_S

    def _window(self, subject: str) -> _Window:
        now = monotonic()
        window = self._windows.get(subject)
        if window is None or window.ends_s <= now:
            window = self._windows[subject] = _Window(now + WINDOW_S)
            self._windows.move_to_end(subject)
        while len(self._windows) > KEPT_MAX:
            self._windows.popitem(last=False)
        return window

    def _trace(self, attempt: Attempt, *, throttled: bool) -> None:
        now = monotonic()
        if now >= self._traced_until_s:
            self._traced, self._traced_until_s = 0, now + WINDOW_S
        self._traced += 1
        if self._traced > TRACED_PER_WINDOW:
            return
        more = f"; more than {self.per_minute} in a minute are not looked at" if throttled else ""
        entry = AuditEntry(
            actor=_shown(attempt) or "unknown",
            role="none",
            action="credential.throttled" if throttled else "credential.refused",
            target=Target("address", attempt.address),
            owner="dashboard",
            detail=f"{attempt.reason or f'a wrong {attempt.kind}'}{more}",
            outcome="refused",
            address=attempt.address,
        )
        self.audit.later(entry)

    def _report(self, kind: Kind, outcome: str, failures: Iterable[tuple[str, str]]) -> None:
        if len(self._reporting) < REPORTS_MAX:
            task = asyncio.create_task(self._add_up(kind, outcome, list(failures)))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)

    async def _add_up(self, kind: Kind, outcome: str, failures: list[tuple[str, str]]) -> None:
        # Where Redis is away, each process counts alone.
        try:
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.hincrby(keys.REFUSED, f"{kind}:{outcome}", 1)
                for subject, digest in failures:
                    pipe.sadd(keys.failed(subject), digest)
                    pipe.expire(keys.failed(subject), WINDOW_S, nx=True)
                    pipe.scard(keys.failed(subject))
                replies = await pipe.execute()
        except (RedisError, OSError):
            return
        for (subject, _), number in zip(failures, replies[3::3], strict=True):
            self._window(subject).elsewhere = int(number)

    def _digest(self, *texts: str) -> str:
        """64 bits of an HMAC: what is kept of a mistyped password is of no use to a reader of Redis."""
        text = "\0".join(texts).encode("utf-8", "surrogatepass")
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()[:16]


def network_of(address: str) -> str:
    """The address, of IPv6 its /64, which is one customer's; as it is where it is neither."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ip_network(f"{address.partition('%')[0]}/64", strict=False))


def _shown(attempt: Attempt) -> str:
    """The user's name where there is such a user: a password is often typed into the field above it."""
    return attempt.user if attempt.known else ""
