"""Places of files, and servers."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings.urls import file_or_s3_url, queue_server_url, url_of


def absolute_folder(path: Path) -> Path:
    """The folder's absolute path. Raises ValueError for what is there and not a folder."""
    whole = path.expanduser().absolute()
    if whole.exists() and not whole.is_dir():
        raise ValueError("not a folder")
    return whole


class Backends(BaseModel):
    """Folders and servers. Whatever is unset lives under `data_dir`, so that one folder is the whole installation."""

    model_config = ConfigDict(frozen=True)

    data_dir: Annotated[Path, AfterValidator(absolute_folder)] = Field(
        default=Path("data"), validate_default=True, description="a folder, existing or to be made"
    )

    redis_url: Annotated[str, AfterValidator(queue_server_url)] | None = Field(
        default=None,
        repr=False,
        description="redis://[user:password@]host:port/db, rediss://…, unix:///path, redis+sentinel://host:port,…/service/db "
        "or redis+cluster://host:port,…",
        json_schema_extra={"secret": True},
    )
    """None means the Valkey that `offload up` starts, whose address stands in `data_dir`/redis.url while it runs."""

    enqueue_wait: int = Field(default=0, ge=0, le=9)
    """Replicas that must have a new job before it is answered with 202, and a permission of `run.once` before it is given; 0 waits
    for none. Bounds what a failover may lose."""

    database_url: Annotated[str, url_of("sqlite+aiosqlite", "postgresql+asyncpg")] = Field(
        default_factory=lambda made: f"sqlite+aiosqlite:///{made['data_dir']}/offload.db",
        repr=False,
        description="sqlite+aiosqlite:///path or postgresql+asyncpg://user:password@host/name",
        json_schema_extra={"secret": True},
    )

    storage_url: Annotated[str, AfterValidator(file_or_s3_url)] = Field(
        default_factory=lambda made: (made["data_dir"] / "files").as_uri(),
        description="file:///folder or s3://bucket/prefix",
    )
    """A file:// URL is percent-encoded as URLs are: decode its path before use."""

    smtp_url: Annotated[str, url_of("smtp", "smtps", host=True)] | None = Field(
        default=None,
        repr=False,
        description="smtp://[user:password@]host:port, or smtps://… for TLS from the first byte",
        json_schema_extra={"secret": True},
    )
    """None means the mail catcher that `offload up` starts: no message leaves the machine."""

    @property
    def queue_dir(self) -> Path:
        """Folder of the embedded Valkey's append-only log."""
        return self.data_dir / "queue"

    @property
    def outbox_dir(self) -> Path:
        """Folder of the mail catcher's messages."""
        return self.data_dir / "outbox"

    @property
    def redis_url_file(self) -> Path:
        """Holds the embedded Valkey's URL, password included, while `offload up` runs."""
        return self.data_dir / "redis.url"

    def queue_server_url(self) -> str:
        """URL of the Redis or Valkey to use: the one configured, else the one of the stack running from `data_dir`.

        Raises SystemExit with one sentence where there is neither.
        """
        if self.redis_url:
            return self.redis_url
        try:
            return self.redis_url_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise SystemExit(
                f"No queue server: set OFFLOAD_REDIS_URL, or run `offload up` with OFFLOAD_DATA_DIR={self.data_dir}, "
                "which starts one."
            ) from None
