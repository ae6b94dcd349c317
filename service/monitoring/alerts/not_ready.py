"""`NotReady`: tells Slack and the pager directly that this service cannot serve, without the queue server.

Rules, their standings and the outbox live in the queue server, so no rule can tell that it is away, nor that the database
or the storage is. Each web process watches its own readiness, and the first that has seen it fail for a minute tells.
"""

import asyncio
import contextlib
import fcntl
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Any

import httpx
import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.lib.async_tasks import pause
from service.lib.languages import in_language
from service.lib.sentences.recogniser import shown
from service.monitoring.alerts import keys, pagerduty, slack
from service.monitoring.alerts.alerts import record
from service.monitoring.alerts.records import HistoryEntry
from service.monitoring.readiness import OK, Readiness
from settings import Settings
from settings.alert_rules import Severity

log = structlog.get_logger("offload.alerts")

RULE = "not-ready"
CHECK_S = 5.0
"""Seconds between two checks of readiness."""

FAILED_S = 60.0
"""Seconds for which it must have failed: restarts and failovers take less."""

SEND_TIMEOUT_S = 5.0
PAGE = "/admin/alerts"

MISSED = (
    "Until now no alert rule was measured, no schedule began and no job was accepted: slots that were missed are listed with "
    "their schedules"
)
"""Sentence about an outage of the queue server."""


class Outbreak(msgspec.Struct):
    """An outage that was told, as the file in the data folder keeps it. Times in ms since the epoch."""

    since_ms: int
    parts: dict[str, str]
    announced: bool = msgspec.field(default=True, name="told")
    """False where another machine was first, and says the end too."""


class NotReady:
    """Watches the readiness of one web process."""

    def __init__(self, settings: Settings, redis: Client, readiness: Readiness) -> None:
        self.settings = settings
        self.redis = redis
        self.readiness = readiness
        self.file = settings.data_dir / "not-ready.json"
        urls = {"slack": settings.slack_webhook_url, "pager": settings.pager_webhook_url}
        self.urls = {name: url for name, url in urls.items() if url}
        self.parts: dict[str, str] = {}
        """Parts that have failed since readiness was lost, with the last reason of each."""
        self.since_s: float | None = None
        self._known = False
        """True where this process need not tell any more."""
        self._unfiled: Outbreak | None = None
        """The outbreak that it has told and that could not be written to the file."""
        self._unsent: dict[str, dict[str, Any]] = {}

    async def watch_forever(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.check()
            except Exception:
                # A full disk under the data folder, for one, must not end the watch over it.
                log.exception("readiness.check_failed")
            await pause(CHECK_S)

    async def check(self) -> None:
        """Look once, and tell what follows from it."""
        bad = {part: why for part, why in (await self.readiness.checks()).items() if why != OK}
        if bad:
            self.since_s = monotonic() if self.since_s is None else self.since_s
            self.parts |= bad
            if monotonic() - self.since_s >= FAILED_S:
                await self._begin(monotonic() - self.since_s)
        else:
            await self._end()
            self.since_s, self.parts = None, {}
        await self._send()

    async def _begin(self, failed_s: float) -> None:
        if self._known:
            return
        outbreak = Outbreak(round((time.time() - failed_s) * 1000), dict(self.parts))
        try:
            with self._state() as file:
                if _read(file) is None:
                    outbreak.announced = await self._first()
                    _write(file, outbreak)
                else:
                    outbreak.announced = False
        except OSError:
            # Such as a full disk, which is worth telling: other processes of this machine may then tell it too.
            outbreak.announced, self._unfiled = await self._first(), outbreak
        self._known = True
        if outbreak.announced:
            log.error("alert.fired", rule=RULE, text=outbreak_text(failed_s, self.parts))
            with in_language(self.settings.alert_language):
                self._unsent = self._bodies(shown(outbreak_text(failed_s, self.parts)), resolved=False)

    async def _end(self) -> None:
        outbreak, self._unfiled, self._known = self._unfiled, None, False
        if self.file.exists():
            with self._state() as file:
                outbreak = _read(file) or outbreak
                _write(file, None)
        if outbreak and outbreak.announced:
            text = recovery(outbreak, time.time())
            log.info("alert.resolved", rule=RULE, text=text)
            with in_language(self.settings.alert_language):
                self._unsent = self._bodies(shown(text), resolved=True)
            await self._record(outbreak, text)

    async def _first(self) -> bool:
        """True where no other machine has told of it, as far as that can be known: without the queue server, the pager
        alone recognises a second call."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return bool(await self.redis.set(keys.NOT_READY, socket.gethostname(), nx=True, ex=3600))
        return True

    async def _record(self, outbreak: Outbreak, text: str) -> None:
        """Put both into the history, which could not be written in between."""
        began = f"not ready: {', '.join(outbreak.parts)}"
        sent, critical = list(self.urls), str(Severity.CRITICAL)
        with contextlib.suppress(RedisError, OSError):
            pipe = self.redis.pipeline(transaction=True)
            record(pipe, HistoryEntry(outbreak.since_ms, RULE, "", "fired", critical, began, sent))
            record(pipe, HistoryEntry(round(time.time() * 1000), RULE, "", "resolved", critical, text, sent))
            pipe.delete(keys.NOT_READY)
            await pipe.execute()

    def _bodies(self, text: str, *, resolved: bool) -> dict[str, dict[str, Any]]:
        url = self.settings.links_url + PAGE
        event = (
            pagerduty.resolve(RULE, text) if resolved else pagerduty.trigger(RULE, text, Severity.CRITICAL, "web", url)
        )
        bodies = {
            "slack": slack.alert_blocks(RULE, text, Severity.CRITICAL, url, resolved=resolved),
            "pager": {"routing_key": pagerduty.routing_key(self.settings)} | event,
        }
        return {name: bodies[name] for name in self.urls}

    async def _send(self) -> None:
        """Send what has not been taken yet; what cannot be sent is tried again at the next look."""
        if not self._unsent:
            return
        certificates = await asyncio.to_thread(httpx.create_ssl_context)
        async with httpx.AsyncClient(timeout=SEND_TIMEOUT_S, verify=certificates) as client:
            for name, body in list(self._unsent.items()):
                try:
                    (await client.post(self.urls[name], json=body)).raise_for_status()
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    # Its text may hold the address, which is a secret.
                    log.warning("alert.delayed", channel=name, reason=type(error).__name__)
                else:
                    del self._unsent[name]

    @contextlib.contextmanager
    def _state(self) -> Iterator[IO[bytes]]:
        """The file of the outbreak, locked against the other web processes of this machine."""
        Path(self.file).parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def outbreak_text(failed_s: float, parts: Mapping[str, str]) -> str:
    """Message of an outage. The reasons of its parts are in the current language, the rest in English."""
    named = ", ".join(f"{part} {shown(why)}" for part, why in parts.items())
    return f"Offload has not been ready for {failed_s:.0f} s on {socket.gethostname()}: {named}"


def recovery(outbreak: Outbreak, at_s: float) -> str:
    """Message sent afterwards, with what was missed in between."""
    minutes = max(1, round((at_s - outbreak.since_ms / 1000) / 60))
    began = datetime.fromtimestamp(outbreak.since_ms / 1000, UTC)
    text = f"Offload is ready again after {minutes} min (since {began:%H:%M} UTC): {', '.join(outbreak.parts)} was out"
    return ". ".join((text, MISSED)) if "redis" in outbreak.parts else text


def _read(file: IO[bytes]) -> Outbreak | None:
    file.seek(0)
    raw = file.read()
    try:
        return msgspec.json.decode(raw, type=Outbreak) if raw else None
    except msgspec.DecodeError:
        # Cut short by a full disk: an outbreak of which nothing more is known.
        return None


def _write(file: IO[bytes], outbreak: Outbreak | None) -> None:
    file.seek(0)
    file.truncate()
    file.write(msgspec.json.encode(outbreak) if outbreak else b"")
    file.flush()
