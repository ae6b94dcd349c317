"""`Runtime`: the parts that running a job takes. The engine knows these, and nothing else of the application."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.engine.enqueuer import Enqueuer
from service.engine.external_services import ServiceGate
from service.engine.payload_files import PayloadFiles
from service.engine.pool.learned_memory import LearnedMemory
from service.engine.store import Store
from service.engine.store.breakers import BreakerBounds
from service.engine.tracing import NO_TRACING, Tracing
from service.lib.storage.object_storage import Storage
from settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """Open for the life of a worker."""

    settings: Settings
    store: Store
    enqueuer: Enqueuer
    storage: Storage
    ports: Mapping[type, Any]
    """Implementations that `run.use(protocol)` returns, by protocol."""
    tracing: Tracing = NO_TRACING
    gate: ServiceGate = field(init=False)
    memory: LearnedMemory = field(init=False)
    payloads: PayloadFiles = field(init=False)

    def __post_init__(self) -> None:
        breakers = BreakerBounds(self.settings.breaker_jobs, round(self.settings.breaker_wait_s * 1000))
        gate = ServiceGate(self.store.redis, self.settings.services, self.settings.queues, breakers)
        object.__setattr__(self, "gate", gate)
        object.__setattr__(self, "payloads", PayloadFiles(self.storage))
        object.__setattr__(self, "memory", LearnedMemory(self.store))
