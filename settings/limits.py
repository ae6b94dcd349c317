"""What an upload may be."""

from pydantic import BaseModel, ConfigDict, Field


class UploadLimits(BaseModel):
    """Bounds of one uploaded file."""

    model_config = ConfigDict(frozen=True)

    max_upload_bytes: int = Field(default=209_715_200, ge=1, le=107_374_182_400)
    """200 MiB: 500 scanned pages at 300 dpi stay below it. Uploads are streamed: this bounds disk, not memory."""

    max_pages: int = Field(default=5_000, ge=1, le=1_000_000)
    """Two hours of OCR on two cores, the longest job that is still one job."""

    grace_s: int = Field(default=25, ge=0, le=3600)
    """Seconds running work may take to finish after SIGTERM: under the 30 s after which orchestrators kill."""

    lease_s: float = Field(default=10, ge=1, le=300)
    """Seconds a job waits after its worker died without a word. Under 15 s with room for the claim that finds it; long
    against a stalled event loop or a restart of Redis."""
