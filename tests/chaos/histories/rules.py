"""The promises to a client, each as a rule over what was seen of one job."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.chaos.histories.disturbances import Disturbances
from tests.chaos.histories.record import ACTS, TERMINAL, Event, Kind

MAY_ACT = frozenset({0, 202})
"""Answers to a retry or a cancel after which it may have happened: done, or unknown. 5xx are unknown too."""


@dataclass(frozen=True)
class Violation:
    """A broken promise: `rule` names it, `sentence` says how. `excused` where a failover may take back what no replica had."""

    rule: str
    job: str
    sentence: str
    excused: bool = False


Rule = Callable[[Sequence[Event], Disturbances], Iterator[Violation]]


def _of(events: Sequence[Event], *kinds: Kind) -> list[Event]:
    return [event for event in events if event.kind in kinds]


def _may_have_happened(event: Event) -> bool:
    return event.status in MAY_ACT or event.status >= 500


def _retried(events: Sequence[Event], from_ms: float, until_ms: float) -> bool:
    """True where a retry may have acted within that time. One that got no answer may act later than its client gave up."""
    return any(
        event.since_ms < until_ms and (event.at_ms > from_ms or event.status != 202)
        for event in _of(events, Kind.RETRY)
        if _may_have_happened(event)
    )


def _reads(events: Sequence[Event]) -> list[Event]:
    return [event for event in _of(events, Kind.READ) if event.status == 200]


def ends_and_stays_ended(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """An ended job stays as it ended until an operator retries it."""
    reads = _reads(events)
    for earlier, later in combinations(reads, 2):
        # Reads that overlap have no order.
        if earlier.state not in TERMINAL or later.since_ms <= earlier.at_ms or later.state == earlier.state:
            continue
        if not _retried(events, earlier.since_ms, later.at_ms):
            yield Violation(
                "ended once",
                earlier.job,
                f"it was {earlier.state} and is {later.state} later, without a retry",
                disturbances.taken_back(earlier.at_ms, later.at_ms),
            )
            return


def begins_not_after_its_end(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """No attempt of a job begins under a new fence after a client has seen the job ended."""
    ended = [event for event in _reads(events) if event.state in TERMINAL]
    begun = _of(events, Kind.BEGUN)
    for read in ended:
        fences = [event.fence for event in begun if event.at_ms < read.at_ms]
        for event in begun:
            late = event.at_ms > read.at_ms and event.fence > max(fences, default=0)
            if late and not _retried(events, read.since_ms, event.at_ms):
                sentence = f"attempt {event.attempt} (fence {event.fence}) began after it was seen {read.state}"
                yield Violation("ended once", read.job, sentence, disturbances.taken_back(read.at_ms, event.at_ms))
                return


def effects_once(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """A guarded effect happens at most once; another is repeated by a newer attempt alone."""
    done: dict[str, Event] = {}
    for event in _of(events, Kind.EFFECT):
        before = done.get(event.name)
        if before and (event.guarded or event.fence == before.fence):
            # Of an attempt that stood still an unguarded effect may come late: how late is a rule of its own.
            sentence = (
                f"its effect {event.name} was had twice: by the attempts with fence {before.fence} and {event.fence}"
            )
            yield Violation("done twice", event.job, sentence)
        done[event.name] = event


def newest_fence_acts(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """Nothing is granted to an attempt that asks once one with a newer fence has begun."""
    begun = _of(events, Kind.BEGUN)
    for event in _of(events, Kind.EFFECT):
        newer = [one for one in begun if one.fence > event.fence and one.at_ms < event.since_ms]
        if event.guarded and newer:
            sentence = (
                f"the attempt with fence {event.fence} was allowed its effect {event.name} after the one with fence "
                f"{newer[0].fence} had begun"
            )
            yield Violation("old fence", event.job, sentence, disturbances.taken_back(newer[0].at_ms, event.at_ms))


def fences_differ(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """No two attempts have one fence."""
    seen: dict[int, Event] = {}
    for event in _of(events, Kind.BEGUN):
        first = seen.setdefault(event.fence, event)
        if first is not event:
            sentence = f"fence {event.fence} was given to two attempts, by {first.worker} and {event.worker}"
            yield Violation("fence twice", event.job, sentence)


def one_at_a_time(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """An attempt does nothing more once its worker must have learned that a newer one has begun."""
    begun = _of(events, Kind.BEGUN)
    for event in _of(events, *ACTS):
        for newer in begun:
            if newer.fence <= event.fence:
                continue
            known_ms = disturbances.known_by_ms(event.pid, newer.at_ms)
            if event.at_ms > known_ms:
                late_s = (event.at_ms - newer.at_ms) / 1000
                sentence = (
                    f"the attempt with fence {event.fence} still worked ({event.kind} {event.name}) {late_s:.1f} s after the "
                    f"one with fence {newer.fence} had begun"
                )
                # A failover may have given the lease back to the older one.
                yield Violation("two at once", event.job, sentence, disturbances.taken_back(newer.at_ms, event.at_ms))
                return


def progress_never_back(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """Progress never falls within an attempt."""
    for earlier, later in combinations(_reads(events), 2):
        ordered = later.since_ms > earlier.at_ms and later.attempt == earlier.attempt
        if ordered and later.progress < earlier.progress:
            sentence = f"its progress fell from {earlier.progress} to {later.progress} within attempt {later.attempt}"
            yield Violation("progress back", later.job, sentence, disturbances.taken_back(earlier.at_ms, later.at_ms))
            return


def rests_once_cancelled(events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """A cancelled job does nothing once its worker must have learned of the cancel."""
    for cancel in _of(events, Kind.CANCEL):
        if cancel.status != 202:
            continue
        for event in _of(events, *ACTS):
            late = event.at_ms > disturbances.known_by_ms(event.pid, cancel.at_ms)
            if late and not _retried(events, cancel.since_ms, event.at_ms):
                late_s = (event.at_ms - cancel.at_ms) / 1000
                sentence = (
                    f"{late_s:.1f} s after its cancel was answered it still did something ({event.kind} {event.name})"
                )
                yield Violation("cancelled", event.job, sentence, disturbances.taken_back(cancel.at_ms, event.at_ms))
                return


RULES: tuple[Rule, ...] = (
    ends_and_stays_ended,
    begins_not_after_its_end,
    effects_once,
    newest_fence_acts,
    fences_differ,
    one_at_a_time,
    progress_never_back,
    rests_once_cancelled,
)
"""Rules over one job, whether or not a client was promised it."""


def kept(events: Sequence[Event], accepted: Event) -> Iterator[Violation]:
    """An accepted job is there at the end, and has ended."""
    reads = [event for event in _of(events, Kind.READ) if event.status in (200, 404)]
    if not reads:
        yield Violation("lost", accepted.job, "it was accepted, and was never read again")
    elif reads[-1].status == 404:
        yield Violation("lost", accepted.job, "it was accepted, and is gone")
    elif reads[-1].state not in TERMINAL:
        yield Violation("lost", accepted.job, f"it was accepted, and is {reads[-1].state} after all blows were over")
    elif reads[-1].state == "completed" and not _of(events, Kind.THROUGH):
        yield Violation("not done", accepted.job, "it is completed, and no attempt came through")


def one_job(request: str, events: Sequence[Event], disturbances: Disturbances) -> Iterator[Violation]:
    """A request with its key is one job however often it is sent; one that was refused for good is none."""
    seen: dict[str, Event] = {}
    for event in events:
        if event.job and event.kind in (Kind.ANSWERED, Kind.BEGUN):
            first = next(iter(seen.values()), event)
            if event.job not in seen and first is not event:
                sentence = f"the request {request} is two jobs: {first.job} and {event.job}"
                # Only an answer is a promise: a job that no replica had may be gone when its request is sent again.
                promised = any(one.kind is Kind.ANSWERED and one.job == first.job for one in events)
                excused = not promised and disturbances.taken_back(first.at_ms, event.at_ms)
                yield Violation("queued twice", event.job, sentence, excused)
            seen.setdefault(event.job, event)
    answers = [event for event in events if event.kind is Kind.ANSWERED]
    if answers and all(400 <= event.status < 500 for event in answers):
        for event in events:
            if event.kind is Kind.BEGUN:
                sentence = f"the request {request} was refused with {answers[-1].status}, and its job began"
                yield Violation("refused", event.job, sentence)
                return
