"""Reasons why a job is waiting: live checks in the order in which they decide, the first that is not passed being the reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.formats import MINUTE_MS, duration, number, whole
from service.engine.blocked import read_blocked
from service.engine.holds import Hold
from service.engine.states import State
from service.engine.store import Job, WorkerInfo
from service.engine.store.blocked_keys import holders
from service.engine.store.queue_controls import Kind
from service.engine.store.queue_position import QueuePosition, position_of
from service.lib.text import as_sentence
from service.mail.counters import MAIL_QUEUE
from service.mail.server_status import ServerStatus
from service.services import Services
from settings.amounts import counted
from settings.queues import Queue
from tasks.sdk.types import REGISTRY

HOLDERS_SHOWN = 3


@dataclass(frozen=True)
class Check:
    """A question, whether the job passes it, and the finding. `holds`: an operator must act, or the time `until_ms` come,
    before it can start."""

    question: str
    passed: bool
    answer: str
    holds: bool = False
    until_ms: int | None = None


async def checks(services: Services, job: Job, parts: Sequence[Job], at_ms: int) -> list[Check]:
    """The checks of a job that waits; none for one that does not. One that waits for its parts waits for what they do."""
    if job.queue not in set(Queue):
        return []
    if job.waiting_for:
        end = f"the job goes on without it in {whole((job.wait_due_ms or at_ms) - at_ms)}"
        return [Check("Has the event come?", False, f"Not yet: it waits for {job.waiting_for}; {end}.", holds=True)]
    if job.state is State.ACTIVE and job.waiting_parts > 0 and not job.worker:
        return await _of_parts(services, parts, at_ms)
    return await _of_job(services, job, at_ms) if job.state.waiting else []


async def _of_parts(services: Services, parts: Sequence[Job], at_ms: int) -> list[Check]:
    """Reason why a job gets no further of which no part runs."""
    states = Counter(part.state for part in parts)
    first = next((part for part in parts if part.state.waiting), None)
    if states[State.ACTIVE] or first is None:
        return []
    waiting = sum(count for state, count in states.items() if state.waiting)
    found = (
        f"{number(waiting)} of {number(len(parts))} still wait, and none is running. The first is part {first.part}:"
    )
    return [Check("Have its parts ended?", False, found), *await _of_job(services, first, at_ms)]


async def _of_job(services: Services, job: Job, at_ms: int) -> list[Check]:
    store, queue = services.store, Queue(job.queue)
    reported = [worker for worker in await store.workers() if worker.queue == queue and worker.alive(at_ms)]
    serving = [worker for worker in reported if worker.takes]
    holds = await store.controls.holds(queue)
    position = await position_of(services.redis, job)
    wait_ms = await services.enqueuer.estimator.wait_ms(queue)
    messages = services.settings.queues[queue].rate_per_minute
    if job.waits_for:
        return [Check("Have the jobs before it ended?", False, f"Not yet: {job.message}.")]
    first = [
        _due(job, at_ms),
        _paused(queue, holds, at_ms),
        *await _service(services, job),
        _known(job),
        _served(queue, serving, len(reported)),
        *await _keyed(services, job),
        _limited(holds, position.running),
        _rated(holds, messages, position, at_ms),
        *(await _mail_server(services) if queue is MAIL_QUEUE else []),
    ]
    held = any(check.holds for check in first)
    return [*first, *([_free(serving, wait_ms, held)] if serving else []), _turn(job, position, held)]


async def _mail_server(services: Services) -> list[Check]:
    absence = await ServerStatus(services.redis).read()
    question = "Does the mail server take messages?"
    if absence is None:
        return [Check(question, True, "Yes.")]
    return [Check(question, False, as_sentence(absence.sentence), holds=True)]


async def _service(services: Services, job: Job) -> list[Check]:
    """The external service at which the job was put back, where it waits for one."""
    pauses = services.runtime.gate.pauses
    name = await pauses.waited_for_by(job.id) if job.state is State.RETRYING else ""
    if not name:
        return []
    question, pause = f"Is the service {name} open?", (await pauses.of([name])).get(name)
    if pause is None:
        return [Check(question, True, "Yes, again.")]
    return [Check(question, False, as_sentence(f"{pause.by} paused it: {pause.reason}"), holds=True)]


def _due(job: Job, at_ms: int) -> Check:
    question = "Is it time?"
    if job.due_ms is None or job.due_ms <= at_ms:
        return Check(question, True, "Yes.")
    wait = whole(job.due_ms - at_ms)
    if job.state is State.RETRYING and not (job.tries_used and job.message.startswith("Trying again in")):
        # Put off without a failed try, such as by an absent mail server: its own sentence says why.
        return Check(question, False, f"Not yet: {job.message.rstrip('.')}. The next try is due in {wait}.")
    if job.state is State.RETRYING:
        tried = f"try {job.tries_used} of {job.retries + 1} failed, and the next is due in {wait}"
        return Check(question, False, f"Not yet: {tried}.")
    return Check(question, False, f"Not yet: it was asked for in {wait}.")


def _paused(queue: str, holds: Mapping[Kind, Hold], at_ms: int) -> Check:
    hold = holds.get("pause")
    if hold is None:
        return Check("Is the queue open?", True, "Yes.")
    return Check("Is the queue open?", False, pause_words(queue, hold, at_ms), holds=True, until_ms=hold.until_ms)


def pause_words(queue: str, hold: Hold, at_ms: int) -> str:
    """A pause with who set it, its end and its reason."""
    end = f"for another {whole(hold.until_ms - at_ms)}" if hold.until_ms else "until it is resumed"
    return f"{hold.by} paused {queue} {end}: {hold.reason}"


def _known(job: Job) -> Check:
    question = "Is its task known?"
    if job.type in REGISTRY:
        return Check(question, True, f"{job.type} is.")
    found = f"This release has no task called {job.type}; it waits for a worker of one that has."
    return Check(question, False, found, holds=True)


def _served(queue: str, serving: Sequence[WorkerInfo], reported: int) -> Check:
    question = "Is a worker there?"
    if serving:
        return Check(question, True, f"{number(len(serving))} of {queue}.")
    if reported:
        return Check(
            question, False, f"The only workers of {queue} are quiet or stopping, and take no new job.", holds=True
        )
    return Check(question, False, f"No worker of {queue} is alive.", holds=True)


def _limited(holds: Mapping[Kind, Hold], running: int) -> Check:
    hold = holds.get("limit")
    if hold is None:
        return Check("Is it below the limit?", True, "There is none.")
    if running < hold.value:
        return Check("Is it below the limit?", True, f"{number(running)} of {number(hold.value)} are running.")
    answer = f"{number(running)} of {number(hold.value)} are running; {hold.by} set the limit: {hold.reason}"
    return Check("Is it below the limit?", False, answer)


async def _keyed(services: Services, job: Job) -> list[Check]:
    """The limits of its type over keys, where there are some."""
    question = "Is there room for its key?"
    if not job.limits:
        return []
    blocked = read_blocked(job.blocked_by)
    if blocked is None:
        return [Check(question, True, "Yes.")]
    if blocked.by_rate:
        return [Check(question, False, as_sentence(blocked.sentence))]
    ids = await holders(services.redis, job.queue, blocked.limit_key, HOLDERS_SHOWN + 1)
    more = " and others" if len(ids) > HOLDERS_SHOWN else ""
    return [Check(question, False, f"{blocked.sentence}. It is held by {', '.join(ids[:HOLDERS_SHOWN])}{more}.")]


def _rated(holds: Mapping[Kind, Hold], messages: int, position: QueuePosition, at_ms: int) -> Check:
    """A queue whose tasks meter messages starts jobs freely; in the others a rate that an operator set bounds the starts."""
    question = "Is it within the rate?"
    if messages:
        wait = _in(position.permit_next_ms - at_ms)
        return Check(
            question, True, f"Jobs start freely; of {counted(messages, 'message')} a minute the next may go {wait}."
        )
    hold = holds.get("rate")
    if hold is None:
        return Check(question, True, "There is none.")
    set_by = f"{hold.by} set {number(hold.value)} a minute: {hold.reason}"
    next_ms = max(position.rate_next_ms, at_ms)
    own_ms = next_ms + (position.ahead or 0) * MINUTE_MS / hold.value
    if own_ms <= at_ms:
        return Check(question, True, f"It may start now; {set_by}")
    own = f", this one {_in(own_ms - at_ms)}" if position.ahead else ""
    return Check(question, False, f"The next job may start {_in(next_ms - at_ms)}{own}; {set_by}")


def _free(serving: Sequence[WorkerInfo], wait_ms: float, held: bool) -> Check:
    slots = sum(worker.slots for worker in serving)
    free = slots - sum(worker.active for worker in serving)
    if free > 0 and held:
        return Check("Is a slot free?", True, f"{number(free)} of {number(slots)}.")
    if free > 0:
        return Check(
            "Is a slot free?", True, f"{number(free)} of {number(slots)}: it starts immediately when it is next."
        )
    return Check(
        "Is a slot free?", False, f"All {number(slots)} are taken; the work that waits takes {whole(wait_ms)}."
    )


def _turn(job: Job, position: QueuePosition, held: bool) -> Check:
    """The fair order: owners, and jobs with parts, take turns; priority is a head start."""
    question = "Is it its turn?"
    if position.ahead is None:
        return Check(question, True, "It takes its place in the fair order when it is time.")
    if position.ahead == 0:
        return Check(question, True, "It is the first to start then." if held else "It is the next.")
    first = f"{number(position.ahead)} ready job{' goes' if position.ahead == 1 else 's go'} first"
    own = f", and {job.owner} has {number(position.own_ahead)} older of its own waiting" if position.own_ahead else ""
    return Check(question, False, f"{first}{own}. Owners take turns, and priority ({job.priority}) is a head start.")


def _in(wait_ms: float) -> str:
    return f"in {duration(wait_ms)}" if wait_ms > 0 else "now"
