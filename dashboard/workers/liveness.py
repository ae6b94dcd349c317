"""When a worker counts as gone."""

from service.api.health import SILENT_AFTER_S
from service.engine.store import WorkerInfo


def alive(worker: WorkerInfo, at_ms: int) -> bool:
    return at_ms - worker.heartbeat_ms < SILENT_AFTER_S * 1000
