"""Storage usage of the installation: memory of Redis by queue and kind, and bytes in the storage. Bounded samples, no listing."""

from service.monitoring.storage_usage.redis_server import ServerState
from service.monitoring.storage_usage.usage import Footprint, QueueUsage, StoredKind, footprint

__all__ = ["Footprint", "QueueUsage", "ServerState", "StoredKind", "footprint"]
