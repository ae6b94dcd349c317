"""A job's way through its states, with the time each step took: wait against run."""

from dataclasses import dataclass

from dashboard.formats import duration, whole
from dashboard.state_badges import badge
from service.engine.estimates import estimated_completion_ms
from service.engine.states import State
from service.engine.store import Job


@dataclass(frozen=True)
class Step:
    """`at_ms` is None for what has not happened yet; `note` says how long it took, or is expected to take."""

    label: str
    css: str
    at_ms: int | None
    note: str


def steps(job: Job, now_ms: int, held: bool = False, held_until_ms: int | None = None) -> list[Step]:
    """Created, due (where it was set for later), started, ended. The end of a held job cannot be foreseen, but for one that
    is held until a time.
    """
    way = [Step("Created", badge(State.QUEUED).css, job.created_ms, f"asked for by {job.owner}")]
    if job.state in (State.SCHEDULED, State.RETRYING) and job.due_ms:
        label = "Starts" if job.state is State.SCHEDULED else "Next try"
        way.append(
            Step(
                label,
                badge(job.state).css,
                job.due_ms,
                f"due in {whole(job.due_ms - now_ms)}" if job.due_ms > now_ms else "due now",
            )
        )
    return [*way, _started(job, now_ms), _ended(job, now_ms, held, held_until_ms)]


def _started(job: Job, now_ms: int) -> Step:
    css = badge(State.ACTIVE).css
    if job.first_started_ms is None:
        note = "never" if job.state.terminal else f"has waited {whole(now_ms - job.created_ms)}"
        return Step("Started", "", None, note)
    return Step(
        "Started", css, job.first_started_ms, f"after waiting {duration(job.first_started_ms - job.created_ms)}"
    )


def _ended(job: Job, now_ms: int, held: bool, held_until_ms: int | None) -> Step:
    if job.state.terminal and job.finished_ms:
        return Step(badge(job.state).word, badge(job.state).css, job.finished_ms, _ran(job))
    if held and held_until_ms:
        return Step("Completed", "", None, f"not before the pause ends in {whole(held_until_ms - now_ms)}")
    if held:
        return Step("Completed", "", None, "cannot be foreseen")
    expected_ms = estimated_completion_ms(job, now_ms)
    if expected_ms is None or expected_ms <= now_ms:
        return Step("Completed", "", None, "any moment")
    return Step("Completed", "", None, f"in about {whole(expected_ms - now_ms)}")


def _ran(job: Job) -> str:
    """Duration of the last attempt: pauses between tries, and the wait for an operator's retry, are not its own time."""
    if job.started_ms is None:
        return ""
    last = f" in attempt {job.attempt}" if job.attempt > 1 else ""
    return f"ran for {duration((job.finished_ms or 0) - job.started_ms)}{last}"
