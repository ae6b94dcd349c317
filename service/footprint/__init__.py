"""What the installation takes up: memory of Redis by queue and kind, and bytes in the storage. Bounded samples, no listing."""

from service.footprint.footprint import Footprint, QueueRoom, StoredKind, footprint
from service.footprint.server import ServerState

__all__ = ["Footprint", "QueueRoom", "ServerState", "StoredKind", "footprint"]
