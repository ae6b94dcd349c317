"""Uploaded documents, and their pictures as the job leaves them: what the pages are shown with."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

from PIL import Image

from service.database import Document
from service.documents.thumbnails.store import ThumbnailStore
from tasks.images.thumbnails import render_thumbnails
from tasks.images.variants import SIZES, variants
from tests.dashboard.made import Maker


def picture(colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "PNG")
    return file.getvalue()


async def stored(made: Maker, name: str = "scan.png", owner: str = "acme", data: bytes | None = None) -> Document:
    async def chunks() -> AsyncIterator[bytes]:
        yield data or picture()

    return await made.services.files.upload(chunks(), owner=owner, name=name)


async def pictured(made: Maker, document: Document) -> None:
    path = await made.services.files.local(document.file_id, Path())
    await ThumbnailStore(made.services.storage).keep(document.sha256, render_thumbnails(path, variants(SIZES)))
