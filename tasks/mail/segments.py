"""The groups of users that a campaign can be sent to by name."""

from typing import Literal

Segment = Literal["active", "all", "digest", "free", "pro", "enterprise"]
"""`active` users; `all` of them; the active ones who asked for the `digest`; the active ones on a plan."""
