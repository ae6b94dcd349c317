"""Calls of the store that wait out an absence of Redis: what a running job needs, and what is safe to repeat."""

from collections.abc import Sequence

import structlog

from service.engine.redis.retry import until_back
from service.engine.store.script_inputs import Outcome
from service.engine.store.worker_verbs import WorkerVerbs

log = structlog.get_logger("offload.worker")


class UntilBack:
    """As the store's methods of these names, each tried again for as long as Redis is out of reach."""

    def __init__(self, store: WorkerVerbs) -> None:
        self.get = until_back(store.get)
        self.get_many = until_back(store.get_many)
        self.checkpointed = until_back(store.checkpointed)
        self.split = until_back(store.split)
        self._settled = until_back(store.settled)

    async def settled(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        """As `Store.settled`. An outcome is never given up while Redis is away: its fence decides what it is worth then."""
        states = await self._settled(outcomes)
        for number, state in enumerate(states):
            if state.startswith("error "):
                # Its lease will run out, and the job is settled as any whose worker fell silent.
                log.error("outcome.not_recorded", job=outcomes[number].id, error=state)
                states[number] = "lost"
        return states
