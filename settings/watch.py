"""Watch folder."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings.backends import absolute_folder


class Watch(BaseModel):
    """Folder whose files are taken in."""

    model_config = ConfigDict(frozen=True)

    watch_dir: Annotated[Path, AfterValidator(absolute_folder)] | None = Field(
        default=None, description="a folder, existing or to be made"
    )
    """None watches nothing."""

    watch_settle_s: float = Field(default=2.0, ge=0.1, le=3600)
    """Seconds in which a file must not change before it is taken: longer than a copying program pauses between two writes."""
