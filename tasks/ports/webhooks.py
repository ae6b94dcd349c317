"""Deliveries of webhooks, as their task asks for them."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Delivered:
    """End of one try. `later` is to be tried again after `again_s` seconds."""

    state: Literal["delivered", "failed", "later"]
    sentence: str
    again_s: float = 0.0


class Webhooks(Protocol):
    """The log of deliveries, and what sends them."""

    async def deliver(self, delivery_id: str) -> Delivered:
        """Try one delivery. One that has been delivered, or is gone, is not sent again."""
        ...
