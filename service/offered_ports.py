"""Implementations of tasks/ports/, each under its protocol: those of the service, and those of installed packages."""

import contextlib

import structlog

from service.cleanup import LeftoverFiles
from service.database.connection import Database
from service.documents.images import ImageRecords
from service.documents.thumbnails.cleanup import Upkeep
from service.documents.thumbnails.store import ThumbnailStore
from service.documents.videos.store import VideoStore
from service.engine.store import Store
from service.exports import Records
from service.lib.storage.object_storage import Storage
from settings import Settings
from tasks.ports.exports import Exports
from tasks.ports.images import Images
from tasks.ports.thumbnails import Thumbnails, ThumbnailUpkeep
from tasks.ports.upkeep import Leftovers
from tasks.ports.videos import Videos
from tasks.sdk.extend import PORTS

log = structlog.get_logger("offload")


def offered_ports(settings: Settings, database: Database, store: Store, storage: Storage) -> dict[type, object]:
    """The implementations of tasks/ports/, each under its protocol."""
    return {
        Exports: Records(database, store),
        Leftovers: LeftoverFiles(settings, store, storage, database),
        Images: ImageRecords(database, storage),
        Thumbnails: ThumbnailStore(storage),
        ThumbnailUpkeep: Upkeep(storage, database),
        Videos: VideoStore(database, storage),
    }


async def packages_ports(stack: contextlib.AsyncExitStack, settings: Settings) -> dict[type, object]:
    """The implementations that packages offer. One that cannot be made is left out, and its tasks fail by name."""
    found: dict[type, object] = {}
    for protocol, factory in PORTS.items():
        try:
            made = factory(settings)
            found[protocol] = await stack.enter_async_context(made) if hasattr(made, "__aenter__") else made
        except Exception:
            log.exception("port.open_failed", port=protocol.__name__)
    return found
