"""Deploys: a version of web or workers that none of them had before, and marks that are set by hand or by a pipeline."""

from collections.abc import Mapping, Sequence

import msgspec

from service.engine.redis.client import Client
from service.engine.store import WorkerInfo
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.changes import keys
from service.monitoring.changes.records import Deploy, Part
from service.monitoring.changes.timeline import DAY_MS, Timeline

TEXT_MAX = 200
"""Characters of a mark: a version, a commit, a sentence."""

KEPT, KEPT_MS = 500, 400 * DAY_MS

WEB_FRESH_MS = 60_000
"""A web process reports every ten seconds; one that is silent for longer is not there any more."""

WEB_FORGOTTEN_MS = 3_600_000


class BadMark(ValueError):
    """The message is a sentence."""


class Deploys:
    """Notices and lists deploys."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.timeline = Timeline(redis, keys.DEPLOYS, Deploy, KEPT, KEPT_MS)

    async def mark(self, text: str, *, by: str) -> Deploy:
        """Set a mark now. Raises BadMark."""
        words = " ".join(text.split())
        if not words or not words.isprintable():
            raise BadMark("The text of a deploy mark is a few printable words, such as a version or a commit.")
        if len(words) > TEXT_MAX:
            raise BadMark(f"The text of a deploy mark has {TEXT_MAX} characters at most; this one has {len(words):,}.")
        deploy = Deploy(now_ms(), "mark", words, by)
        await self.timeline.add(deploy, deploy.at_ms)
        return deploy

    async def web_reported(self, version: str) -> None:
        """Report that a web process of this version is there."""
        await self.redis.hset(keys.WEB_VERSIONS, version, now_ms())

    async def compare(self, workers: Sequence[WorkerInfo]) -> None:
        """Compare the versions that are there with those that were."""
        at_ms = now_ms()
        web = {version.decode(): int(beat) for version, beat in (await self.redis.hgetall(keys.WEB_VERSIONS)).items()}
        if old := [version for version, beat_ms in web.items() if at_ms - beat_ms > WEB_FORGOTTEN_MS]:
            await self.redis.hdel(keys.WEB_VERSIONS, *old)
        present: Mapping[Part, set[str]] = {
            "web": {version for version, beat_ms in web.items() if at_ms - beat_ms <= WEB_FRESH_MS},
            "worker": {worker.version for worker in workers if worker.alive(at_ms)},
        }
        for part, versions in present.items():
            await self._compare_part(part, versions, at_ms)

    async def _compare_part(self, part: Part, versions: set[str], at_ms: int) -> None:
        raw = await self.redis.hget(keys.VERSIONS, part)
        before = set(msgspec.json.decode(raw, type=list[str])) if raw else set()
        if not versions or versions == before:
            # While none is there, the last ones are remembered: the same version that starts again is not a deploy.
            return
        pipe = self.redis.pipeline(transaction=True)
        pipe.hset(keys.VERSIONS, part, msgspec.json.encode(sorted(versions)))
        for version in sorted(versions - before):
            self.timeline.add_to(pipe, Deploy(at_ms, part, version), at_ms)
        await write_small(self.redis, pipe)

    async def between(self, first_ms: int, last_ms: float, limit: int = 100) -> Sequence[Deploy]:
        """Deploys of a span, newest first."""
        return await self.timeline.between(first_ms, last_ms, limit)
