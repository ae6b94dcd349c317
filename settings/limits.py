"""Bounds of an upload."""

from pydantic import BaseModel, ConfigDict, Field


class UploadLimits(BaseModel):
    """Bounds of one uploaded file."""

    model_config = ConfigDict(frozen=True)

    max_upload_bytes: int = Field(default=209_715_200, ge=1, le=107_374_182_400)
    """200 MiB: 500 scanned pages at 300 dpi stay below it. Uploads are streamed: this bounds disk, not memory."""

    max_pages: int = Field(default=5_000, ge=1, le=1_000_000)
    """Two hours of OCR on two cores, the longest job that is still one job."""

    max_video_seconds: int = Field(default=14_400, ge=1, le=604_800)
    """Four hours: a few megabytes can hold days of a still picture, and each second of them is encoded."""

    upload_expires_hours: int = Field(default=24, ge=1, le=720)
    """A day: an upload that was broken off in the evening can be resumed the next morning."""
