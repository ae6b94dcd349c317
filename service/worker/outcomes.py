"""Outcomes travel to the store in batches: while one call is under way, the next batch gathers."""

import asyncio

import structlog

from service.patience import patiently
from service.store import Store
from service.store.requests import Outcome

log = structlog.get_logger("offload.worker")


class Outcomes:
    """Records outcomes, in order. One is never given up while Redis is away: its fence decides what it is worth then."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: list[tuple[Outcome, asyncio.Future[str]]] = []
        self.sender: asyncio.Task[None] | None = None

    def record(self, outcome: Outcome) -> "asyncio.Future[str]":
        """Will be the job's state once it is stored, or `lost` where the lease was another's by then."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append((outcome, answer))
        if self.sender is None or self.sender.done():
            self.sender = asyncio.create_task(self._send())
        return answer

    async def _send(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:500], self.waiting[500:]
            states = await self._settle([outcome for outcome, _ in batch])
            for (_, answer), state in zip(batch, states, strict=True):
                if not answer.done():
                    answer.set_result(state)

    async def _settle(self, outcomes: list[Outcome]) -> list[str]:
        states = await patiently("outcomes", lambda: self.store.settled(outcomes))
        for number, state in enumerate(states):
            if state.startswith("error "):
                # Its lease will run out, and the job is settled as any whose worker went silent.
                log.error("an outcome could not be recorded", job=outcomes[number].id, error=state)
                states[number] = "lost"
        return states
