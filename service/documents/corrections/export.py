"""Corrections as training data: a ZIP of pictures of lines, and a JSON line for each, written as it is downloaded."""

import tempfile
import zipfile
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select, tuple_

from service.database import Document
from service.database.corrections import PageCorrectionRow
from service.documents.corrections.correcting import Correcting
from service.documents.corrections.readings import DocumentPage
from service.documents.store import DocumentStore
from service.lib.scratch import scratch_folder
from tasks.ocr.corrections import around
from tasks.ocr.line_crops import line_crops
from tasks.ocr.words import PageText, Word
from tasks.sdk.errors import Refused

ROWS_AT_ONCE = 50

CROP_TIMEOUT_S = 60.0
"""A page is rendered in one to three seconds; a busy machine multiplies that."""

README = """Lines of scanned pages that people have corrected or confirmed.

corrections.jsonl has one JSON object a line:
  image      the picture of the line in this archive; null where the document or its reading is gone
  text       what stands there, by a person
  read       what the engine had read
  words      the words that a person corrected or confirmed: before, after, box in points, confidence
  engine, owner, media_type, document (SHA-256), page
"""


class _Chunks:
    """A file that cannot be sought in, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """The bytes since the last call."""
        data, self._parts = b"".join(self._parts), []
        return data


async def training_data(correcting: Correcting, files: DocumentStore, owner: str = "") -> AsyncIterator[bytes]:
    """The archive, of an owner or of all. A page that cannot be drawn has its texts without pictures."""
    out = _Chunks()
    number = 0
    with scratch_folder() as scratch, tempfile.TemporaryFile() as lines:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # it is only written to
            archive.writestr("README.txt", README)
            async for row, document in _corrected(correcting, owner):
                for entry, picture in await _lines(correcting, files, row, document, scratch):
                    number += 1
                    if picture is not None:
                        entry["image"] = f"lines/{number:06d}.png"
                        archive.writestr(entry["image"], picture)
                    lines.write(msgspec.json.encode(entry) + b"\n")
                    yield out.taken()
            lines.seek(0)
            with archive.open("corrections.jsonl", "w", force_zip64=True) as listed:
                while chunk := lines.read(1 << 16):
                    listed.write(chunk)
                    yield out.taken()
        yield out.taken()


async def _corrected(correcting: Correcting, owner: str) -> AsyncIterator[tuple[PageCorrectionRow, Document | None]]:
    key = (PageCorrectionRow.owner, PageCorrectionRow.sha256, PageCorrectionRow.page)
    after: tuple[str, str, int] | None = None
    while True:
        query = select(PageCorrectionRow).where(PageCorrectionRow.edits > 0).order_by(*key).limit(ROWS_AT_ONCE)
        query = query.where(PageCorrectionRow.owner == owner) if owner else query
        query = query.where(tuple_(*key) > tuple_(*after)) if after else query
        found: list[tuple[PageCorrectionRow, Document | None]] = []
        async with correcting.rows.database.reading() as session:
            for row in await session.scalars(query):
                same = (Document.owner == row.owner, Document.sha256 == row.sha256)
                newest = select(Document).where(*same).order_by(Document.created_at.desc()).limit(1)
                found.append((row, await session.scalar(newest)))
        for row, document in found:
            yield row, document
        if len(found) < ROWS_AT_ONCE:
            return
        last = found[-1][0]
        after = (last.owner, last.sha256, last.page)


async def _lines(
    correcting: Correcting, files: DocumentStore, row: PageCorrectionRow, document: Document | None, scratch: Path
) -> list[tuple[dict[str, Any], bytes | None]]:
    """The lines of a page that a person has touched, each with its picture where it can be drawn."""
    if document is None:
        return []
    try:
        page = await correcting.readings.page(document, row.page)
    except Refused:
        return []
    if page.read is None or page.base is None:
        return []
    touched = [
        words
        for words in (list(line) for _, line in groupby(page.read.words, key=lambda word: word.line))
        if any(word.corrected is True for word in words)
    ]
    entries = [_entry(page, page.base, words) for words in touched]
    boxes = [around(words) for words in touched]
    size = (page.read.width, page.read.height)
    try:
        path = await files.local(document.file_id, scratch)
        turned = page.read.rotation
        pictures: list[bytes | None] = [
            *await correcting.pool.run(line_crops, path, row.page - 1, size, boxes, turned, timeout_s=CROP_TIMEOUT_S)
        ]
    except Exception:
        # A picture that cannot be drawn must not keep the texts, and all other pages, from being exported.
        pictures = [None] * len(entries)
    return list(zip(entries, pictures, strict=True))


def _entry(page: DocumentPage, base: PageText, words: list[Word]) -> dict[str, Any]:
    frame = around(words)
    edits = [edit for edit in page.stored.correction.edits if _meets(edit.box, frame)]
    read = [word.text for word in base.words if _meets(word.box, frame)]
    return {
        "image": None,
        "text": " ".join(word.text for word in words),
        "read": " ".join(read),
        "words": [msgspec.to_builtins(edit) for edit in edits],
        "engine": base.engine,
        "owner": page.document.owner,
        "media_type": page.document.media_type,
        "document": page.document.sha256,
        "page": page.number,
    }


def _meets(box: Any, frame: Any) -> bool:
    """Return whether the middle of a box lies in a frame."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3])
