"""Times of the worker processes."""

from pydantic import BaseModel, ConfigDict, Field


class Workers(BaseModel):
    """Bounds of a worker's end, in seconds."""

    model_config = ConfigDict(frozen=True)

    grace_s: int = Field(default=25, ge=0, le=3600)
    """Seconds running work may take to finish after SIGTERM: under the 30 s after which orchestrators kill."""

    lease_s: float = Field(default=10, ge=1, le=300)
    """Seconds a job waits after its worker died without a word. Under 15 s with room for the claim that finds it; long
    against a stalled event loop or a restart of Redis."""
