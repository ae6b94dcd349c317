"""Storage of thumbnails, and which are missing: by a document's content, so that equal documents share theirs."""

from collections.abc import Sequence
from typing import Protocol

from tasks.images.variants import Thumbnail, Variant


class Thumbnails(Protocol):
    """Finished pictures by the SHA-256 of the document they show."""

    async def lacking(self, sha256: str, wanted: Sequence[Variant]) -> list[Variant]:
        """Those of `wanted` that are not there yet."""
        ...

    async def keep(self, sha256: str, made: Sequence[Thumbnail]) -> None:
        """Store pictures, each whole or not at all."""
        ...

    async def give_up(self, sha256: str, reason: str) -> None:
        """Remember why there can be none, so that only an explicit job tries again."""
        ...


class ThumbnailUpkeep(Protocol):
    """All thumbnails at once, a shard at a time, so that any number of them takes little memory."""

    shards: Sequence[str]

    async def neglected(self, shard: str, wanted: Sequence[Variant]) -> list[str]:
        """One file id for each content of the shard that lacks any of `wanted` and was not given up."""
        ...

    async def tidy(self, shard: str) -> int:
        """Remove what no document needs any more, and return how many objects that were."""
        ...
