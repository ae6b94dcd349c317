"""Worker processes: times, memory, and what their children may do."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode


def folders(given: Any) -> Any:
    """`/srv/fonts,/opt/models` as a tuple of absolute paths. Raises ValueError for what is none."""
    if not isinstance(given, str):
        return given
    paths = tuple(Path(part.strip()) for part in given.split(",") if part.strip())
    if not paths or not all(path.is_absolute() for path in paths):
        raise ValueError("no absolute paths")
    return paths


class Workers(BaseModel):
    """Bounds of workers. Times are in seconds."""

    model_config = ConfigDict(frozen=True)

    grace_s: int = Field(default=25, ge=0, le=3600)
    """Seconds running work may take to finish after SIGTERM: under the 30 s after which orchestrators kill."""

    pool_mb: int = Field(default=0, ge=0, le=16_777_216)
    """Megabytes that the children of one worker may take together; 0: all but a gigabyte of the machine's memory or the
    container's, and at least three quarters. A task runs next to others only where what it should take fits, so that no two
    large ones meet."""

    child_nice: int = Field(default=10, ge=0, le=19)
    """Niceness of the children and programs that read documents, over that of their own process. At 10 they get a tenth of a core's
    time where web, queue server or a worker's loop want it, and all of it otherwise."""

    sandbox: Literal["auto", "require", "off"] = Field(default="auto", description="auto, require or off")
    """Sandbox of the children and programs that read strangers' files: `auto` takes what the kernel has, `require` does not
    start without bounds on files and network. `off` is for those who have made every document themselves."""

    sandbox_reads: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(folders)] = Field(
        default=(), description="absolute paths, separated by commas"
    )
    """Files and folders that they may read besides: models or fonts of a package of job types."""

    lease_s: float = Field(default=10, ge=1, le=300)
    """Seconds a job waits after its worker died without a word. Under 15 s with room for the claim that finds it; long
    against a stalled event loop or a restart of Redis."""

    breaker_jobs: int = Field(default=10, ge=0, le=10_000)
    """Jobs that fail in a row with one error, none completing in between, before their queue, or the external service that they
    failed at, pauses itself; 0: never. Ten in a row are hardly ten bad documents, and fewer tries than a queue that fails for a
    night would spend."""

    breaker_wait_s: float = Field(default=30, ge=1, le=3600)
    """Seconds before one job is tried again; doubled with each one that fails alike, up to twenty times. Long enough for a
    restart of what is missing."""
