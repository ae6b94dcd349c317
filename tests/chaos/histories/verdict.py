"""The checker: every rule over every job and request of a history, and what it found in readable lines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.histories.disturbances import Disturbances
from tests.chaos.histories.record import ACTS, Event, History, Kind
from tests.chaos.histories.rules import RULES, Violation, kept, one_job

FEW = 5
"""Violations whose jobs' stories are printed: one fault makes hundreds."""


@dataclass
class Verdict:
    """The outcome of a check."""

    violations: list[Violation] = field(default_factory=list)
    excused: list[Violation] = field(default_factory=list)
    """Writes that a failover took back, which no answer had promised."""
    accepted: int = 0
    states: Counter[str] = field(default_factory=Counter)
    """Accepted jobs by the state that was read last."""
    blows: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    effects: int = 0
    seconds: float = 0.0
    seed: int = 0
    closed: bool = False

    def count(self, rule: str) -> int:
        """Number of violations of one rule."""
        return sum(violation.rule == rule for violation in self.violations)


def check(history: History) -> Verdict:
    """Judge a history. Of one that was broken off, what had not ended then is not lost."""
    disturbances = Disturbances(history)
    verdict = Verdict(closed=history.closed, seed=history.campaign.seed, accepted=len(history.accepted))
    verdict.seconds = (history.events[-1].at_ms - history.events[0].at_ms) / 1000
    verdict.blows.update(event.name for event in history.of(Kind.BLOW))
    verdict.attempts = sum(1 for _ in history.of(Kind.BEGUN))
    verdict.effects = sum(1 for _ in history.of(Kind.EFFECT))
    for violation in _found(history, disturbances):
        (verdict.excused if violation.excused else verdict.violations).append(violation)
    for job in history.accepted:
        reads = [event for event in history.jobs[job] if event.kind is Kind.READ and event.status in (200, 404)]
        verdict.states[(reads[-1].state or "gone") if reads else "unread"] += 1
    return verdict


def _found(history: History, disturbances: Disturbances) -> Iterator[Violation]:
    for events in history.jobs.values():
        for rule in RULES:
            yield from rule(events, disturbances)
    for request, events in history.requests.items():
        yield from one_job(request, events, disturbances)
    if history.closed:
        for job, answer in history.accepted.items():
            yield from kept(history.jobs[job], answer)


def report(history: History, verdict: Verdict) -> Iterator[str]:
    """The verdict in lines: figures, then each violation, and the stories of the first FEW jobs."""
    states = ", ".join(f"{count:,} {state}" for state, count in verdict.states.most_common())
    blows = ", ".join(f"{count} {name}" for name, count in verdict.blows.most_common())
    yield f"seed {verdict.seed}: {verdict.accepted:,} jobs accepted ({states}) in {verdict.seconds:.0f} s"
    yield f"{verdict.attempts:,} attempts began and had {verdict.effects:,} effects"
    yield f"{verdict.blows.total()} blows: {blows or 'none'}"
    yield f"{verdict.count('lost')} lost, {verdict.count('done twice') + verdict.count('queued twice')} done twice"
    if verdict.excused:
        rules = Counter(violation.rule for violation in verdict.excused)
        yield "taken back by a failover, none of it promised: " + ", ".join(
            f"{n} × {rule}" for rule, n in rules.items()
        )
    if not verdict.closed:
        yield "The history was broken off: what had not ended by then is not counted as lost."
    for number, violation in enumerate(verdict.violations):
        yield ""
        yield f"{violation.rule}: {violation.job}: {violation.sentence}"
        if number < FEW:
            yield from story(history, violation.job)


def story(history: History, job: str) -> Iterator[str]:
    """All that was seen of one job, in order, with the blows that fell in the meantime. Times are seconds since the first."""
    own = history.jobs.get(job, [])
    requests = {event.request for event in own if event.request}
    sent = [event for request in requests for event in history.requests[request] if event.kind is Kind.REQUESTED]
    lines = sorted([*own, *sent], key=lambda event: event.at_ms)
    if not lines:
        yield f"  there is nothing about a job {job}"
        return
    blows = [event for event in history.of(Kind.BLOW, Kind.OVER) if lines[0].at_ms <= event.at_ms <= lines[-1].at_ms]
    zero_ms = history.events[0].at_ms
    for event in sorted([*lines, *blows], key=lambda event: event.at_ms):
        yield f"  {(event.at_ms - zero_ms) / 1000:9.3f} s  {_line(event)}"


def _line(event: Event) -> str:
    struck = f" of process {event.pid}" if event.pid else ""
    if event.kind in ACTS:
        return f"worker    {_act(event)}: fence {event.fence}, process {event.pid}"
    if event.kind is Kind.BLOW:
        return f"BLOW      {event.name}{struck}"
    if event.kind is Kind.OVER:
        return f"          {event.name}{struck} is over"
    return f"client    {_seen(event)}"


def _act(event: Event) -> str:
    match event.kind:
        case Kind.BEGUN:
            return f"{event.worker} begins attempt {event.attempt}"
        case Kind.EFFECT:
            return f"has its {'' if event.guarded else 'unguarded '}effect {event.name}"
        case Kind.STEP:
            return "works on"
        case _:
            return "comes through"


def _seen(event: Event) -> str:
    answer = f"answered {event.status}" if event.status else f"not answered ({event.note})"
    match event.kind:
        case Kind.REQUESTED:
            return f"sends {event.request}" + (f" under {event.key}" if event.key else " without a key")
        case Kind.ANSWERED:
            return f"{event.request} is {answer}"
        case Kind.READ if event.status == 200:
            return f"reads {event.state}, {event.progress} %, attempt {event.attempt}"
        case _:
            return f"its {event.kind} is {answer}"
