"""Measures that settings/alert_rules.py names."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from service.documents.scan_record import ScanRecord
from service.engine.schedules import Schedules
from service.engine.service_breakers import ServicePauses
from service.engine.states import State
from service.engine.store import Job, Store
from service.engine.store.breakers import BREAKER
from service.engine.store.queue_controls import OFFLOAD
from service.lib.clock import now_ms
from service.mail.counters import MAIL_QUEUE, MEASURES
from service.mail.server_status import ServerStatus
from service.monitoring.alerts.server_measures import ServerMeasures
from service.monitoring.alerts.silence import Reading, by_queue_of, silence_of
from service.monitoring.metrics import Metrics
from service.monitoring.metrics.figures import Figures
from service.webhooks import keys as webhook_keys
from settings import Queue, Settings
from settings.alert_rules import UNENDING, Rule

EXAMINED_MAX = 200
"""Running jobs one measurement looks at: more are not running at once in one installation."""


PAGES_MIN = 20
"""Pages of which a share is taken: of three poor ones one is soon a third."""


def doubtful_share(figures: Figures) -> float | None:
    """Share of the read pages that are doubtful; None of too few."""
    return figures["page_doubtful"] / figures["page_read"] if figures["page_read"] >= PAGES_MIN else None


class Measures:
    """Takes measures of the whole installation. Nothing that it says names a person."""

    def __init__(self, settings: Settings, store: Store, metrics: Metrics, schedules: Schedules) -> None:
        self.settings = settings
        self.store = store
        self.metrics = metrics
        self.schedules = schedules
        self.scans = ScanRecord(store.redis)

    async def take(self, rule: Rule) -> list[Reading]:
        """The rule's measure for each of its subjects."""
        servers = ServerMeasures(self.store.redis)
        by_name: Mapping[str, Callable[[Rule], Awaitable[list[Reading]]]] = {
            "waiting_jobs": self.waiting_jobs,
            "failure_rate": self.failure_rate,
            "worker_silent_s": self.worker_silent_s,
            "redis_memory_share": servers.redis_memory_share,
            "unsafe_settings": servers.unsafe_settings,
            "evicted_keys": servers.evicted_keys,
            "queue_servers_away": servers.queue_servers_away,
            "held_s": self.held_s,
            "service_paused_s": self.service_paused_s,
            "running_s": self.running_s,
            "running_s_per_unit": self.running_s_per_unit,
            "messages_per_minute": self.messages_per_minute,
            "timeouts": self.timeouts,
            "minutes_to_drain": self.minutes_to_drain,
            "mail_server_away_s": self.mail_server_away_s,
            "doubtful_pages": self.doubtful_pages,
            "disabled_webhooks": self.disabled_webhooks,
            "infected_documents": self.infected_documents,
            "scanner_away_s": self.scanner_away_s,
            "missed_slots": self.missed_slots,
            "owner_waiting_jobs": self.owner_waiting_jobs,
            "owner_failed_jobs": self.owner_failed_jobs,
        }
        readings = await by_name[rule.measure](rule)
        return [reading for reading in readings if not rule.of or reading.subject == rule.of]

    async def waiting_jobs(self, _rule: Rule) -> list[Reading]:
        """Jobs that could start now or after a backoff."""
        counts = await self.store.counts()
        return [
            Reading(
                queue, states[State.QUEUED] + states[State.RETRYING], link=f"/admin/jobs?queue={queue}&status=queued"
            )
            for queue, states in counts.items()
        ]

    async def failure_rate(self, rule: Rule) -> list[Reading]:
        """Dead letters among the jobs that ended."""
        found = []
        for queue in Queue:
            total = (await self.metrics.window(queue, rule.window_s)).total
            detail = f"{total['failed']:,} of {total.ended:,}"
            link = f"/admin/jobs?queue={queue}&status=failed"
            found.append(Reading(str(queue), total.failure_rate, detail, link))
        return found

    async def worker_silent_s(self, _rule: Rule) -> list[Reading]:
        """The longest silence of a worker that has not been replaced since."""
        at_ms, by_queue = now_ms(), by_queue_of(await self.store.workers())
        return [silence_of(queue, by_queue.get(queue, []), at_ms) for queue in map(str, Queue)]

    async def held_s(self, _rule: Rule) -> list[Reading]:
        """Seconds since a queue paused itself: a part that its workers need is missing, or its jobs fail in a row."""
        at_ms, found = now_ms(), []
        for queue in map(str, Queue):
            pause = (await self.store.controls.holds(queue)).get("pause")
            held = pause is not None and pause.by in (OFFLOAD, BREAKER)
            seconds = (at_ms - pause.since_ms) / 1000 if pause and held else 0.0
            found.append(Reading(queue, seconds, pause.reason if pause and held else ""))
        return found

    async def service_paused_s(self, _rule: Rule) -> list[Reading]:
        """Seconds since a service's breaker opened. A pause that an operator has set is meant."""
        at_ms, found = now_ms(), []
        for name, pause in (await ServicePauses(self.store.redis).all()).items():
            seconds = (at_ms - pause.since_ms) / 1000 if pause and pause.by == BREAKER else 0.0
            found.append(Reading(name, seconds, pause.reason if pause else "", "/admin/services"))
        return found

    async def running_s(self, rule: Rule) -> list[Reading]:
        """Seconds that the running attempt of the slowest job of a type has taken: one that an operator retries hours after
        it failed begins again at nothing."""
        return [await self._slowest(rule, lambda job: 1)]

    async def running_s_per_unit(self, rule: Rule) -> list[Reading]:
        """The same, divided by the job's documents."""
        return [await self._slowest(rule, lambda job: max(1, job.units))]

    async def _slowest(self, rule: Rule, divisor: Callable[[Job], int]) -> Reading:
        at_ms = now_ms()
        running = (await self.store.list(type=rule.of, state=State.ACTIVE, limit=EXAMINED_MAX)).jobs
        ages = [((at_ms - (job.started_ms or at_ms)) / 1000 / divisor(job), job.id) for job in running]
        if not ages:
            return Reading(rule.of, None)
        slowest_s, job_id = max(ages)
        return Reading(rule.of, slowest_s, f"job {job_id}", f"/admin/jobs/{job_id}")

    async def messages_per_minute(self, rule: Rule) -> list[Reading]:
        """Messages offered to the mail server, in whole minutes, while there is more to send than the threshold."""
        minutes = round(rule.window_s / 60)
        left = await self._messages_left(rule.of)
        limit = await self._rate(Queue(rule.of))
        spans = (await self.metrics.spans("minute", rule.of, minutes + 1))[:-1]
        offered = sum(span.total[measure] for span in spans for measure in MEASURES.values())
        slow = left > rule.threshold and not 0 < limit < rule.threshold
        detail = "1 message waits" if left == 1 else f"{left:,} messages wait"
        return [Reading(rule.of, offered / minutes if slow else None, detail, f"/admin/jobs?queue={rule.of}")]

    async def _messages_left(self, queue: str) -> int:
        page = await self.store.list(queue=queue, state=State.ACTIVE, limit=EXAMINED_MAX)
        queued = await self.store.list(queue=queue, state=State.QUEUED, limit=EXAMINED_MAX)
        return sum(max(0, (job.units_total or job.units) - job.units_done) for job in (*page.jobs, *queued.jobs))

    async def _rate(self, queue: Queue) -> int:
        """The lowest rate per minute that is set for a queue; 0 for none. A paused queue sends nothing, and is meant to."""
        holds = await self.store.controls.holds(queue)
        limits = [self.settings.queues[queue].rate_per_minute]
        limits += [hold.value or 1 for kind, hold in holds.items() if kind in ("rate", "pause")]
        return min((limit for limit in limits if limit), default=0)

    async def timeouts(self, rule: Rule) -> list[Reading]:
        """Attempts that ran out of time."""
        total = (await self.metrics.window(rule.of, rule.window_s)).total
        return [Reading(rule.of, total["timeout"], link=f"/admin/jobs?queue={rule.of}")]

    async def minutes_to_drain(self, rule: Rule) -> list[Reading]:
        """Minutes that the waiting jobs will take at the present pace. A paused queue is not meant to drain."""
        counts, at_ms, by_queue = await self.store.counts(), now_ms(), by_queue_of(await self.store.workers())
        since_ms = await self.store.waiting_since_ms()
        found = []
        for queue in map(str, Queue):
            alive = [worker for worker in by_queue.get(queue, []) if worker.alive(at_ms)]
            slots, waiting = sum(worker.serving_slots for worker in alive), counts[queue][State.QUEUED]
            total = (await self.metrics.window(queue, rule.window_s)).total
            gone = total.ended + total["cancelled"] + total["expired"]
            net = (gone - total["enqueued"]) / (rule.window_s / 60)
            if waiting <= 2 * slots:
                minutes: float | None = 0.0 if waiting else None
            else:
                minutes = waiting / net if net > 0 else UNENDING
            if "pause" in await self.store.controls.holds(queue):
                minutes = None
            # A queue that has been filled for three minutes has no pace of fifteen.
            oldest_ms = since_ms[queue]
            seen_s = min(rule.window_s, (at_ms - oldest_ms) / 1000) if oldest_ms else rule.window_s
            span = "the last minute" if seen_s < 90 else f"{seen_s / 60:.0f} minutes"
            detail = f"{waiting:,} wait; in {span} {total['enqueued']:,} came and {gone:,} went"
            if not slots:
                detail += ", and no worker takes any" if alive else ", and no worker is alive"
            found.append(Reading(queue, minutes, detail, f"/admin/jobs?queue={queue}"))
        return found

    async def mail_server_away_s(self, _rule: Rule) -> list[Reading]:
        """Seconds since the mail server was last there; nothing to measure while it takes messages, or none are sent."""
        absence = await ServerStatus(self.store.redis).read()
        link = f"/admin/queues/{MAIL_QUEUE}"
        if absence is None:
            return [Reading("mail server", None, link=link)]
        return [Reading("mail server", (now_ms() - absence.since_ms) / 1000, absence.sentence, link)]

    async def doubtful_pages(self, rule: Rule) -> list[Reading]:
        """Doubtful ones among the pages of completed jobs; too few pages say nothing of a share."""
        total = (await self.metrics.window(Queue(rule.of), rule.window_s)).total
        words = f"{total['page_doubtful']:,} of {total['page_read']:,}"
        return [Reading(rule.of, doubtful_share(total), words, "/admin/jobs?tag=doubtful")]

    async def disabled_webhooks(self, _rule: Rule) -> list[Reading]:
        """Webhooks that were disabled after failures, until they are enabled or deleted."""
        found = await self.store.redis.hgetall(webhook_keys.DISABLED)
        detail = "; ".join(sorted(text.decode() for text in found.values())[:3])
        return [Reading("webhooks", len(found), detail, "/admin/webhooks")]

    async def infected_documents(self, rule: Rule) -> list[Reading]:
        """Documents that were put in quarantine within the window."""
        found = await self.scans.infected_since(now_ms() - round(rule.window_s * 1000))
        link = f"/admin/documents/{found[-1]}" if found else "/admin/documents?scan=infected"
        return [Reading("documents", len(found), ", ".join(found[-3:]), link)]

    async def scanner_away_s(self, _rule: Rule) -> list[Reading]:
        """Seconds since the malware scanner has given no verdict."""
        absence = await self.scans.absence()
        if absence is None:
            return [Reading("malware scanner", 0.0)]
        return [Reading("malware scanner", (now_ms() - absence.since_ms) / 1000, absence.reason, "/admin/documents")]

    async def missed_slots(self, _rule: Rule) -> list[Reading]:
        """Slots that were missed since the last completed run; a schedule that cannot be read misses every one."""
        found = []
        for state in await self.schedules.list():
            if state.schedule.owner:
                # An owner's schedule is the owner's to watch.
                continue
            words = state.problem or state.words
            found.append(Reading(state.name, max(state.missed, int(bool(state.problem))), words, "/admin/schedules"))
        return found

    async def owner_waiting_jobs(self, rule: Rule) -> list[Reading]:
        """Queued jobs of one owner."""
        return await self._jobs_of_owner(rule.of, State.QUEUED)

    async def owner_failed_jobs(self, rule: Rule) -> list[Reading]:
        """Dead letters of one owner."""
        return await self._jobs_of_owner(rule.of, State.FAILED)

    async def _jobs_of_owner(self, owner: str, state: State) -> list[Reading]:
        counts = await self.store.counts_of_owner(owner)
        return [Reading(owner, counts[state], link=f"/admin/jobs?owner={quote(owner, safe='')}&status={state}")]
