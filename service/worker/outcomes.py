"""Outcomes travel to the store in batches: while one call is under way, the next batch gathers."""

import asyncio

import structlog
from redis.exceptions import RedisError

from service.store import Store
from service.store.requests import Outcome

log = structlog.get_logger("offload.worker")

PATIENCE_S = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Pauses between tries while Redis is away; the last one repeats. An outcome is never given up: its fence decides."""


class Outcomes:
    """Records outcomes, in order, retrying for as long as Redis is away."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: list[tuple[Outcome, asyncio.Future[str]]] = []
        self.sender: asyncio.Task[None] | None = None

    async def record(self, outcome: Outcome) -> str:
        """Answers the job's state once it is stored, or `lost` where the lease was another's by then."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append((outcome, answer))
        if self.sender is None or self.sender.done():
            self.sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:500], self.waiting[500:]
            states = await self._settle([outcome for outcome, _ in batch])
            for (_, answer), state in zip(batch, states, strict=True):
                if not answer.done():
                    answer.set_result(state)

    async def _settle(self, outcomes: list[Outcome]) -> list[str]:
        tries = 0
        while True:
            try:
                return await self.store.settled(outcomes)
            except (RedisError, OSError) as error:
                pause_s = PATIENCE_S[min(tries, len(PATIENCE_S) - 1)]
                if tries == 0:
                    log.warning("outcomes wait for Redis", outcomes=len(outcomes), error=str(error))
                tries += 1
                await asyncio.sleep(pause_s)
