"""Sections of a capsule: each read, rendered and redacted alone, so that one is in memory at a time."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from litestar import Request

from dashboard.auth import User
from dashboard.capsule import jobs as capsule_jobs
from dashboard.capsule.figures import queue_figures, tier_of
from dashboard.capsule.span import IncidentSpan
from dashboard.formats import HOUR_MS
from dashboard.jobs.file_names import files_of
from dashboard.redaction import personal_values, redacted
from service.engine.store import Job
from service.lib.clock import now_ms
from service.monitoring.alerts.alerts import HISTORY_MAX
from service.monitoring.changes.settings_in_effect import shown
from service.services import Services
from settings.queues import Queue

log = logging.getLogger("offload.dashboard")

CHANGES_SHOWN = 300
AUDIT_SHOWN = 500
WORKERS_SHOWN = 200
GROUPS_READ = 200
GROUPS_SHOWN = 50

TITLES: Mapping[str, str] = {
    "charts": "Charts",
    "alerts": "Alerts",
    "changes": "What changed",
    "jobs": "Jobs",
    "audit": "Audit log",
    "workers": "Workers",
    "settings": "Versions and settings",
}
"""Headings of the sections that have one; pages of other languages translate them."""

Facts = Mapping[str, Any]
Reader = Callable[[], Awaitable[Facts]]


class CapsuleWriter:
    """Writes the capsule of a span with the rights of the request's user."""

    def __init__(self, request: Request[User, Any, Any], services: Services, span: IncidentSpan) -> None:
        self.request = request
        self.services = services
        self.span = span
        self.made_ms = now_ms()
        self.personal: set[str] = set()
        """Values that this user may not see, of all jobs in the capsule: other sections may repeat them."""

    async def write(self) -> AsyncIterator[bytes]:
        """The file, section by section. One that cannot be read says so, and the others follow."""
        jobs: Facts | None = None
        try:
            jobs = await self._jobs()
            if not self.request.user.sees_personal:
                self.personal = personal_values(jobs)
        except Exception:
            log.exception("capsule.section_failed: jobs")

        async def jobs_read() -> Facts:
            if jobs is None:
                raise LookupError("jobs")
            return jobs

        readers: Mapping[str, Reader] = {
            "head": self._head,
            "charts": self._charts,
            "alerts": self._alerts,
            "changes": self._changes,
            "jobs": jobs_read,
            "audit": self._audit,
            "workers": self._workers,
            "settings": self._settings,
            "end": self._end,
        }
        for name, read in readers.items():
            title = TITLES.get(name, "")
            if jobs is None and not self.request.user.sees_personal and name in ("changes", "audit", "alerts"):
                # What is personal in them is not known.
                yield self._render("failed", {"title": title}).encode()
                continue
            try:
                html = self._render(name, {"title": title, **await read()})
            except Exception:
                log.exception("capsule.section_failed: %s", name)
                html = self._render("failed", {"title": title})
            yield html.encode()

    def _render(self, name: str, facts: Facts) -> str:
        user = self.request.user
        engine: Any = self.request.app.template_engine
        base = self.services.settings.links_url
        html: str = engine.get_template(f"capsule/{name}_part.html").render(
            user=user, span=self.span, base=base, made_ms=self.made_ms, **facts
        )
        return html if user.sees_personal else redacted(html, self.personal | personal_values(facts), own=user.name)

    async def _head(self) -> Facts:
        return {"deploy": await self.services.changes.deploys.timeline.last(self.span.first_ms)}

    async def _charts(self) -> Facts:
        tier = tier_of(self.span, self.made_ms)
        figures = [await queue_figures(self.services, queue, self.span, tier) for queue in Queue]
        return {
            "tier": tier,
            "figures": [one for one in figures if not one.quiet],
            "quiet": [one.queue for one in figures if one.quiet],
            "deploys": await self.services.changes.deploys.between(self.span.first_ms, self.span.last_ms),
        }

    async def _alerts(self) -> Facts:
        history = await self.services.alerts.history(HISTORY_MAX)
        return {
            "history": [one for one in history if self.span.first_ms <= one.at_ms <= self.span.last_ms],
            "cut": len(history) == HISTORY_MAX and history[-1].at_ms > self.span.first_ms,
            "firing": [
                (rule, status)
                for rule, status in await self.services.alerts.firing()
                if (status.fired_ms or 0) <= self.span.last_ms
            ],
        }

    async def _changes(self) -> Facts:
        first_ms = self.span.first_ms - HOUR_MS
        found = await self.services.changes.between(first_ms, self.span.last_ms, CHANGES_SHOWN + 1)
        return {"changes": found[:CHANGES_SHOWN], "cut": len(found) > CHANGES_SHOWN}

    async def _jobs(self) -> Facts:
        store, span = self.services.store, self.span
        failed, longest = await capsule_jobs.failed_jobs(store, span), await capsule_jobs.longest_jobs(store, span)
        groups = [
            one
            for one in await store.error_groups.list(GROUPS_READ)
            if one.last_ms >= span.first_ms and one.first_ms <= span.last_ms
        ]
        jobs: list[Job] = [*failed.shown, *longest.shown]
        return {
            "failed": failed,
            "failed_jobs": [await capsule_jobs.with_log(store, job) for job in failed.shown],
            "examined_max": capsule_jobs.EXAMINED_MAX,
            "longest": longest,
            "longest_jobs": [await capsule_jobs.with_log(store, job) for job in longest.shown],
            "groups": groups[:GROUPS_SHOWN],
            "groups_found": len(groups),
            # For the names of documents, which texts may repeat.
            "files": await files_of(self.services, jobs),
        }

    async def _audit(self) -> Facts:
        events, total = await self.services.audit.between(self.span.first_ms, self.span.last_ms, AUDIT_SHOWN)
        return {"events": events, "total": total}

    async def _workers(self) -> Facts:
        found = await self.services.changes.workers.between(self.span.first_ms, self.span.last_ms)
        return {
            "workers": found[:WORKERS_SHOWN],
            "found": len(found),
            "oldest_ms": await self.services.changes.workers.oldest_ms(),
        }

    async def _settings(self) -> Facts:
        seen = await self.services.changes.settings.seen()
        web = seen.get("web", {})
        return {
            "web": {name: shown(value) for name, value in web.items() if value},
            "others": {
                process: {name: shown(value) for name, value in values.items() if value != web.get(name)}
                for process, values in seen.items()
                if process != "web"
            },
            "deploys": await self.services.changes.deploys.between(self.span.first_ms, self.span.last_ms),
        }

    async def _end(self) -> Facts:
        return {}
