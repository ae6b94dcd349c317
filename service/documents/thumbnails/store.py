"""`ThumbnailStore`: pictures by content hash and variant. The storage alone knows which there are; no table repeats it."""

from collections.abc import Sequence
from typing import Literal

from service.lib.storage.object_storage import NoSuchObject, Storage
from tasks.images.variants import RECIPE, Thumbnail, Variant

FOLDER = "thumbnails"

GIVEN_UP = f"r{RECIPE}-given-up.txt"
"""Stands next to the pictures, or in their place, and holds the reason why the last try made none."""

Availability = Literal["there", "missing", "given up"]


def content_folder(sha256: str) -> str:
    """Folder of the thumbnails of one content, in one of 256 shards."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


class ThumbnailStore:
    """Implements tasks.ports.thumbnails.Thumbnails, and reads what that keeps."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def lacking(self, sha256: str, wanted: Sequence[Variant]) -> list[Variant]:
        """Those of `wanted` that are not there yet."""
        there = await self._names(sha256)
        return [variant for variant in wanted if variant.name not in there]

    async def availability(self, sha256: str, variant: Variant) -> Availability:
        """Status: whether the picture is there, and whether it is worth asking for one."""
        there = await self._names(sha256)
        return "there" if variant.name in there else "given up" if GIVEN_UP in there else "missing"

    async def keep(self, sha256: str, made: Sequence[Thumbnail]) -> None:
        """Store pictures, each whole or not at all, and forget an earlier failure."""
        for one in made:
            await self._storage.put(f"{content_folder(sha256)}/{one.variant.name}", one.data)
        await self._storage.delete(f"{content_folder(sha256)}/{GIVEN_UP}")

    async def give_up(self, sha256: str, reason: str) -> None:
        """Remember why there can be none."""
        await self._storage.put(f"{content_folder(sha256)}/{GIVEN_UP}", reason.encode())

    async def picture(self, sha256: str, variant: Variant) -> bytes | None:
        """The finished file, some tens of kilobytes, or None."""
        return await self._read(sha256, variant.name)

    async def reason_for_none(self, sha256: str) -> str | None:
        """Reason why the last try made none, if it did not."""
        reason = await self._read(sha256, GIVEN_UP)
        return reason.decode() if reason else None

    async def _names(self, sha256: str) -> set[str]:
        return {path.rsplit("/", 1)[-1] for path in await self._storage.list(content_folder(sha256))}

    async def _read(self, sha256: str, name: str) -> bytes | None:
        try:
            return await self._storage.get(f"{content_folder(sha256)}/{name}")
        except NoSuchObject:
            return None
