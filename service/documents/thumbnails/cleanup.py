"""Missing and left-over thumbnails, a shard of the content hashes at a time."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, or_, select

from service.database import Database, Document
from service.documents.malware import Scan
from service.documents.media_types import VIDEOS
from service.documents.thumbnails.store import FOLDER, GIVEN_UP
from service.lib.storage.object_storage import Storage
from tasks.images.variants import RECIPE, Variant

CURRENT = f"r{RECIPE}-"
"""Prefix of the names of everything made by the present recipe."""


class Upkeep:
    """Implements tasks.ports.thumbnails.ThumbnailUpkeep. A million documents are some 4,000 a shard."""

    shards: Sequence[str] = [f"{number:02x}" for number in range(256)]

    def __init__(self, storage: Storage, database: Database) -> None:
        self._storage = storage
        self._database = database

    async def neglected(self, shard: str, wanted: Sequence[Variant]) -> list[str]:
        """One file id for each content of the shard that lacks any of `wanted` and was not given up."""
        there = await self._stored(shard)
        names = {variant.name for variant in wanted}
        return [
            file_id
            for sha256, file_id in (await self._documents(shard)).items()
            if not names <= there[sha256] and GIVEN_UP not in there[sha256]
        ]

    async def tidy(self, shard: str) -> int:
        """Remove the pictures of contents that no document has, and older recipes' where a newer one's are there."""
        # In this order: a document that arrives in between is in the second list, and its pictures stay.
        there = await self._stored(shard)
        documents = await self._documents(shard)
        removed = 0
        for sha256, names in there.items():
            current = {name for name in names if name.startswith(CURRENT)}
            unneeded = names if sha256 not in documents else names - current if current else set()
            for name in unneeded:
                await self._storage.delete(f"{FOLDER}/{shard}/{sha256}/{name}")
            removed += len(unneeded)
        return removed

    async def _stored(self, shard: str) -> defaultdict[str, set[str]]:
        """Names of what is stored, by content."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for path in await self._storage.list(f"{FOLDER}/{shard}"):
            sha256, name = path.rsplit("/", 2)[-2:]
            found[sha256].add(name)
        return found

    async def _documents(self, shard: str) -> dict[str, str]:
        """A file id for each content. The index on the hash serves both bounds."""
        # Not ":" after "9": some collations sort it before every digit.
        beyond = "g" if shard == "ff" else f"{int(shard, 16) + 1:02x}"
        query = (
            select(Document.sha256, func.min(Document.file_id).label("file_id"))
            # A video's poster is made by the job of its formats.
            .where(Document.sha256 >= shard, Document.sha256 < beyond, Document.media_type.not_in(VIDEOS))
            .where(or_(Document.scan.is_(None), Document.scan.not_in((Scan.INFECTED, Scan.HELD))))
            .group_by(Document.sha256)
        )
        async with self._database.reading() as session:
            return {row.sha256: row.file_id for row in await session.execute(query)}
