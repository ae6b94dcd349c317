"""Documents of all owners, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_

from service.database import Database, Document
from service.database.cursors import Position, cursor_after, position_of
from service.documents.malware import Scan
from service.documents.media_types import IMAGES, PDF, VIDEOS
from service.documents.store import FILE_ID

EXAMINED_MAX = 50_000
"""Documents one page may look at for a name or a kind, which no index serves: bounds the cost of a page, not its truth."""


KINDS: dict[str, tuple[str, ...]] = {
    "pdf": (PDF,),
    "image": IMAGES,
    "video": VIDEOS,
    **{media_type.removeprefix("image/"): (media_type,) for media_type in IMAGES},
}
"""Kinds as readers name them, and the media types of each."""


@dataclass(frozen=True)
class DocumentFilter:
    """A filter; an empty word fits everything. `name` is a part of a file's name, `kind` one of KINDS, `scan` a state of
    the malware scan."""

    name: str = ""
    owner: str = ""
    kind: str = ""
    scan: str = ""


@dataclass(frozen=True)
class DocumentPage:
    """Documents, newest first. `next_cursor` leads to older ones; None at the end.

    With a filter a page may hold fewer than were asked for, and still have a cursor: so far has been looked.
    """

    documents: Sequence[Document]
    next_cursor: str | None


async def list_documents(
    database: Database, wanted: DocumentFilter, *, limit: int, cursor: str | None = None
) -> DocumentPage:
    """One page of documents. Raises ValueError for an unknown cursor or kind."""
    below = position_of(cursor) if cursor else None
    query = _filtered(wanted)
    async with database.reading() as session:
        floor = None
        if wanted.name or wanted.kind or wanted.scan:
            row = (await session.execute(_below(_row_keys, below).offset(EXAMINED_MAX).limit(1))).first()
            floor = (row.created_at, row.file_id) if row else None
        if floor:
            query = query.where(_row_key >= tuple_(*floor))
        found = list(await session.scalars(_below(query, below).limit(limit + 1)))
    if len(found) > limit:
        return DocumentPage(found[:limit], cursor_after(_position(found[limit - 1])))
    return DocumentPage(found, cursor_after(floor) if floor else None)


async def documents_by_id(database: Database, file_ids: Sequence[str]) -> Sequence[Document]:
    """Those that are still there, in the order asked for."""
    wanted = [file_id for file_id in dict.fromkeys(file_ids) if FILE_ID.fullmatch(file_id)]
    async with database.reading() as session:
        found = await session.scalars(select(Document).where(Document.file_id.in_(wanted)))
        known = {document.file_id: document for document in found}
    return [known[file_id] for file_id in wanted if file_id in known]


_row_key = tuple_(Document.created_at, Document.file_id)
_row_keys = select(Document.created_at, Document.file_id)


def _position(document: Document) -> Position:
    return document.created_at, document.file_id


def _filtered(wanted: DocumentFilter) -> Any:
    query = select(Document)
    if wanted.name:
        query = query.where(Document.name.icontains(wanted.name, autoescape=True))
    if wanted.owner:
        query = query.where(Document.owner == wanted.owner)
    if wanted.scan:
        if wanted.scan not in list(Scan):
            raise ValueError(f"There is no state {wanted.scan[:40]} of a scan: it is one of {', '.join(Scan)}.")
        query = query.where(Document.scan == wanted.scan)
    if wanted.kind:
        if wanted.kind not in KINDS:
            raise ValueError(f"There is no kind {wanted.kind[:40]}: it is one of {', '.join(KINDS)}.")
        query = query.where(Document.media_type.in_(KINDS[wanted.kind]))
    return query


def _below(query: Any, below: Position | None) -> Any:
    """Newest first, from below a row on."""
    if below:
        query = query.where(_row_key < tuple_(*below))
    return query.order_by(Document.created_at.desc(), Document.file_id.desc())
