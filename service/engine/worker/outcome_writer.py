"""Outcomes travel to the store in batches: while one call is under way, the next batch gathers."""

import asyncio
from collections.abc import Sequence

import structlog

from service.engine.batching import Batcher
from service.engine.redis.retry import retry_until_back
from service.engine.store import Store
from service.engine.store.script_inputs import Outcome

log = structlog.get_logger("offload.worker")

MOST = 500
"""Outcomes in one call: some tens of milliseconds of the server's time, when many have gathered while it was away."""


class Outcomes:
    """Records outcomes, in order. One is never given up while Redis is away: its fence decides what it is worth then."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gathered: Batcher[Outcome, str] = Batcher(self._settle, MOST)

    def record(self, outcome: Outcome) -> "asyncio.Future[str]":
        """Will be the job's state once it is stored, or `lost` where the lease was another's by then."""
        return self.gathered.soon(outcome)

    async def _settle(self, outcomes: Sequence[Outcome]) -> list[str]:
        states = await retry_until_back("outcomes", lambda: self.store.settled(outcomes))
        for number, state in enumerate(states):
            if state.startswith("error "):
                # Its lease will run out, and the job is settled as any whose worker went silent.
                log.error("an outcome could not be recorded", job=outcomes[number].id, error=state)
                states[number] = "lost"
        return states
