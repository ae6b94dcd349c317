"""Clients of a campaign: they send, send again, read, cancel and retry, and record what they were answered."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import httpx

from tests.chaos.histories.record import TERMINAL, Kind, Recorder, monotonic_ms

AT_ONCE = 6
"""Clients that send at the same time."""

WITHOUT_KEY, SENT_TWICE, CANCELLED, LONG, CPU, FAILING = 0.03, 0.05, 0.08, 0.02, 0.05, 0.08
"""Shares of all requests."""

PAUSE_S = 0.02
"""Between two reads: a poll of many clients, which leaves the machine's cores to the fleet."""


class Clients:
    """Sends `jobs` requests and follows what was accepted. `open_client` opens a connection of one client."""

    def __init__(
        self, recorder: Recorder, open_client: Callable[[], httpx.AsyncClient], chosen: random.Random, jobs: int
    ) -> None:
        self.recorder = recorder
        self.open_client = open_client
        self.random = chosen
        self.jobs = jobs
        self.sent = 0
        self.open: dict[str, None] = {}
        """Accepted jobs that have not been read as ended."""
        self.ended: list[str] = []

    async def send_all(self, allowance: Callable[[], int]) -> None:
        """Send every request, at no time more than `allowance()` in all."""
        async with self.open_client() as client, asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._send_in_turn(client, allowance))

    async def _send_in_turn(self, client: httpx.AsyncClient, allowance: Callable[[], int]) -> None:
        while self.sent < self.jobs:
            if self.sent >= allowance():
                await asyncio.sleep(PAUSE_S)
                continue
            number, self.sent = self.sent, self.sent + 1
            job = await self._accepted(client, number)
            if job and self.random.random() < CANCELLED:
                await asyncio.sleep(self.random.random() * 0.2)
                await self._order(client, job, Kind.CANCEL)

    async def _accepted(self, client: httpx.AsyncClient, number: int) -> str:
        """Send one request until it is answered for good. Returns its job, "" where there is none to be known."""
        request, share = f"r-{number:05}", self.random.random
        long = share() < LONG
        payload = {
            "request": request,
            "steps": 24 if long else 2,
            "step_s": 0.25 if long else 0.01,
            "cpu": share() < CPU,
            "fails": int(share() < FAILING),
        }
        key = "" if share() < WITHOUT_KEY else f"k-{number:05}"
        repeats = 1 + (key != "" and share() < SENT_TWICE)
        job = ""
        while repeats:
            status, job = await self._send(client, request, key, payload)
            if status == 202:
                self.open[job] = None
                repeats -= 1
            elif not key:
                # It may be queued: without an answer, and after a 503 for want of a replica. Sent again it would be two.
                return ""
            else:
                await asyncio.sleep(0.2)
        return job

    async def _send(
        self, client: httpx.AsyncClient, request: str, key: str, payload: dict[str, Any]
    ) -> tuple[int, str]:
        named = {"request": request, "key": key}
        self.recorder.record(Kind.REQUESTED, **named)
        since_ms = monotonic_ms()
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = await client.post("/api/jobs/chaos-work", json=payload, headers=headers)
        except httpx.TransportError as error:
            self.recorder.record(Kind.ANSWERED, **named, since_ms=since_ms, note=type(error).__name__)
            return 0, ""
        job = answer.json()["job_id"] if answer.status_code == 202 else ""
        self.recorder.record(Kind.ANSWERED, **named, status=answer.status_code, job=job, since_ms=since_ms)
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code, job

    async def _order(self, client: httpx.AsyncClient, job: str, kind: Kind) -> None:
        since_ms, status, note = monotonic_ms(), 0, ""
        try:
            status = (await client.post(f"/api/jobs/{job}/{kind}")).status_code
        except httpx.TransportError as error:
            note = type(error).__name__
        finally:
            # Also where this client was ended before the answer: its order may have been carried out.
            self.recorder.record(kind, job=job, since_ms=since_ms, status=status, note=note or "ended")

    async def read_forever(self) -> None:
        """Read the status of one accepted job after the other, now and then of one that has ended; retry some that failed."""
        async with self.open_client() as client:
            while True:
                if self.ended and (not self.open or self.random.random() < 0.1):
                    job = self.random.choice(self.ended)
                elif self.open:
                    job = self.random.choice(list(self.open)[:200])
                else:
                    await asyncio.sleep(PAUSE_S)
                    continue
                if await self.read(client, job) in ("failed", "cancelled") and self.random.random() < 0.2:
                    await self._order(client, job, Kind.RETRY)
                    self.open[job] = None
                await asyncio.sleep(PAUSE_S)

    async def read(self, client: httpx.AsyncClient, job: str) -> str:
        """Read and record one job's status. Returns its state, "" where it could not be read."""
        since_ms = monotonic_ms()
        try:
            answer = await client.get(f"/api/jobs/{job}/status")
        except httpx.TransportError:
            return ""
        fields: dict[str, Any] = {}
        if answer.status_code == 200:
            seen = answer.json()
            fields = {"state": seen["status"], "progress": seen["progress"], "attempt": seen["attempt"]}
        self.recorder.record(Kind.READ, job=job, status=answer.status_code, since_ms=since_ms, **fields)
        if fields.get("state") in TERMINAL:
            self.open.pop(job, None)
            self.ended.append(job)
        return fields.get("state", "")

    async def read_until_all_ended(self, limit_s: float) -> None:
        """Read what has not ended until it has, for `limit_s` at most; then all jobs once more."""
        every = dict.fromkeys([*self.ended, *self.open])
        async with self.open_client() as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    while self.open:
                        for job in list(self.open):
                            await self.read(client, job)
                        await asyncio.sleep(PAUSE_S)
            for job in every:
                await self.read(client, job)
