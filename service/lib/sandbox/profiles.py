"""The rules of this installation's children and programs, from its settings."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from service.lib.sandbox.confine import Held
from service.lib.sandbox.programs import held_here
from service.lib.sandbox.rules import Rules
from service.lib.sandbox.system import CONFIGURATION, KERNEL, NAMES, SYSTEM, listed, packages
from settings import Settings
from settings.queues import Reach
from tasks.ocr.cache_folders import cache_folder
from tasks.ocr.languages import added_weights

log = structlog.get_logger("offload")

FILE_BYTES_MIN = 4 << 30
"""Least bound on a file that a child writes: an export of some ten million rows."""

UPLOADS_PER_FILE = 4
"""Times the largest upload that a file made of one may come to."""

POSTGRES_PORT = 5432


def checked(settings: Settings) -> Held | None:
    """Facts of this kernel, in one line of the log; None where the operator has switched the sandbox off.

    Raises SystemExit with one sentence where it is required and the kernel cannot hold it.
    """
    if settings.sandbox == "off":
        log.warning("sandbox.off", reason="OFFLOAD_SANDBOX=off")
        return None
    held = held_here()
    if settings.sandbox == "require" and not held.enough:
        raise SystemExit(
            f"OFFLOAD_SANDBOX=require: children that read documents cannot be confined here: {held.words}."
        )
    (log.info if held.state == "on" else log.warning)(f"sandbox.{held.state}", detail=held.words)
    return held


def rules_of(settings: Settings, scratch: Path, reach: Reach = "nothing", *, reads_pages: bool = False) -> Rules | None:
    """Rules of the children and programs of a process; None where the operator has switched the sandbox off.

    `scratch` is the folder below which they work. Those that read pages keep networks in the data folder.
    """
    if settings.sandbox == "off":
        return None
    data, storage = settings.data_dir, urlsplit(settings.storage_url)
    documents = [data / "uploads", *([Path(unquote(storage.path))] if storage.scheme == "file" else [])]
    networks = [data / "models", cache_folder(data)] if reads_pages else []
    for folder in [*documents, *networks]:
        # A rule can only name what is there, and children begin before the first upload.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    reads = [*CONFIGURATION, *KERNEL, *map(str, [*documents, *settings.sandbox_reads])]
    reads += [str(added_weights(data))] if reads_pages else []
    writes = [str(scratch), "/dev/null", *map(str, networks)]
    ports: tuple[int, ...] | None = None
    network = reach == "network"
    if reach == "database":
        path, ports = database_of(settings.database_url)
        network = path is None
        writes += [str(path.parent)] if path else []
    home = Path.home()
    if network:
        reads += [*NAMES, str(home / ".postgresql"), str(home / ".pgpass")]
    return Rules(
        lists=listed(),
        reads=tuple(reads),
        runs=(*SYSTEM, *packages(data)),
        writes=tuple(writes),
        temporary=str(scratch),
        network=network,
        ports=ports,
        file_bytes=max(FILE_BYTES_MIN, UPLOADS_PER_FILE * settings.max_upload_bytes),
        required=settings.sandbox == "require",
    )


def database_of(url: str) -> tuple[Path | None, tuple[int, ...] | None]:
    """(file of an SQLite database, ports of a server); None for ports where the URL names several servers."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        return Path(unquote(parts.path.removeprefix("/"))), None
    return None, None if "host" in parse_qs(parts.query) else (parts.port or POSTGRES_PORT,)
