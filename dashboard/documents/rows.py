"""Row of a document: its picture, or why there is none, and its newest jobs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.database import Document
from service.documents.listing import documents_by_id
from service.documents.malware import Scan
from service.documents.media_types import VIDEOS
from service.documents.thumbnails.store import ThumbnailStore
from service.engine.store import Job
from service.services import Services
from tasks.images.variants import RECIPE, SIZES, Variant
from tasks.thumbnails import thumbnails

SHOWN = Variant(min(SIZES), "webp")
"""The picture of a row: every browser that runs these pages takes WebP."""

JOBS_EXAMINED = 5
"""Newest jobs of a document among which the one that makes its pictures is looked for."""

NAMED_ROWS_MAX = 50
"""Ids that one request may ask for, so that no address makes the server read a million records."""

KIND_WORDS = {
    "application/pdf": "PDF",
    "image/jpeg": "JPEG",
    "image/webp": "WebP",
    "image/jp2": "JPEG 2000",
    "video/quicktime": "QuickTime",
    "video/3gpp": "3GP",
    "video/webm": "WebM",
    "video/x-matroska": "Matroska",
    "video/x-msvideo": "AVI",
}


SCAN_WORDS = {
    Scan.CLEAN: "clean",
    Scan.INFECTED: "in quarantine",
    Scan.HELD: "held until scanned",
    Scan.UNSCANNED: "used without a scan",
}

UNUSABLE: dict[str | None, str] = {
    Scan.INFECTED: "In quarantine: malware was found in it ({}). It is not served, read or shown.",
    Scan.HELD: "It waits for its malware scan, and can be used after that.",
}
"""Reasons why a document may not be used, by its state."""


@dataclass(frozen=True)
class Row:
    """A document as a list shows it. `why` is the sentence of a picture that cannot be; `jobs` are the newest ones."""

    document: Document
    picture: Literal["there", "making", "missing", "given up"]
    why: str | None
    jobs: Sequence[Job]

    @property
    def kind(self) -> str:
        media_type = self.document.media_type
        return KIND_WORDS.get(media_type, media_type.rpartition("/")[2].upper())

    @property
    def unusable(self) -> bool:
        """True in quarantine, and before a missing scan."""
        return self.document.scan in UNUSABLE

    @property
    def is_video(self) -> bool:
        return self.document.media_type in VIDEOS

    @property
    def uploaded_ms(self) -> int:
        return int(self.document.created_at.timestamp() * 1000)

    @property
    def maker(self) -> Job | None:
        """The job that is making the pictures now."""
        return next((job for job in self.jobs if job.type == thumbnails.name and not job.state.terminal), None)

    def address_of(self, variant: Variant = SHOWN) -> str:
        """Address of a picture. A new recipe is a new address, since no browser asks for an old one again."""
        path = f"/admin/documents/{self.document.file_id}/thumbnails/{variant.size}"
        return f"{path}?v={RECIPE}{'' if variant.format == 'webp' else f'&format={variant.format}'}"


async def rows_of(services: Services, documents: Sequence[Document], jobs: int = JOBS_EXAMINED) -> list[Row]:
    """A row for each, with at most so many of its newest jobs."""
    found = await services.store.newest_by("file_id", [one.file_id for one in documents], jobs)
    return list(await asyncio.gather(*(_row(services, one, found[one.file_id]) for one in documents)))


async def rows_named(services: Services, ids: str) -> list[Row]:
    """Rows of documents whose ids a browser sent, with commas between; those that are gone are left out."""
    wanted = [file_id for file_id in ids.split(",") if file_id][:NAMED_ROWS_MAX]
    return await rows_of(services, await documents_by_id(services.database, wanted)) if wanted else []


async def _row(services: Services, document: Document, jobs: Sequence[Job]) -> Row:
    if document.scan in UNUSABLE:
        return Row(document, "given up", UNUSABLE[document.scan].format(document.signature), jobs)
    if document.media_type in VIDEOS:
        return Row(document, "given up", "A video has no thumbnails; video-transcode makes its poster.", jobs)
    store = ThumbnailStore(services.storage)
    availability = await store.availability(document.sha256, SHOWN)
    why = await store.reason_for_none(document.sha256) if availability == "given up" else None
    row = Row(document, availability, why, jobs)
    return Row(document, "making", None, jobs) if availability != "there" and row.maker else row
