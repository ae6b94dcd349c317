"""The same bytes of one owner lie in the storage once, however many documents have them."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document
from service.documents.store import DocumentStore
from service.documents.totals import totals_of
from service.lib.storage.object_storage import Storage
from tests.documents.samples import in_chunks, pdf

CONTENT = pdf(2)


async def put(files: DocumentStore, owner: str = "acme", name: str = "a.pdf", reuse: bool = False) -> Document:
    return await files.upload(in_chunks(CONTENT), owner=owner, name=name, reuse=reuse)


async def read(files: DocumentStore, document: Document) -> bytes:
    return b"".join([chunk async for chunk in await files.content(document)])


async def test_two_documents_share_their_bytes_until_the_last_is_deleted(
    files: DocumentStore, storage: Storage, database: Database
) -> None:
    first, second = await put(files), await put(files, name="b.pdf")
    assert first.file_id != second.file_id and (first.name, second.name) == ("a.pdf", "b.pdf")
    assert await storage.list() == [first.path] == [second.path]
    assert (await totals_of(database, ["acme"]))["acme"].bytes == len(CONTENT)
    await storage.put(f"documents/{first.file_id}/page-1.webp", b"made of it")
    await files.delete(first.file_id)
    assert await storage.list() == [first.path]
    assert await read(files, await files.describe(second.file_id)) == CONTENT
    await files.delete(second.file_id)
    assert await storage.list() == []


async def test_another_owners_bytes_are_its_own(files: DocumentStore, storage: Storage) -> None:
    await put(files), await put(files, owner="globex")
    assert len(await storage.list()) == 2


@pytest.mark.parametrize("reuse", [False, True])
async def test_uploads_at_the_same_time_store_once(files: DocumentStore, storage: Storage, reuse: bool) -> None:
    documents = await asyncio.gather(*(put(files, reuse=reuse) for _ in range(6)))
    assert len({one.file_id for one in documents}) == (1 if reuse else 6)
    assert len(await storage.list()) == 1
    assert [await read(files, await files.describe(one.file_id)) for one in documents] == [CONTENT] * 6


async def test_deleting_while_the_same_bytes_arrive_leaves_no_document_without_its_bytes(
    files: DocumentStore, storage: Storage
) -> None:
    for _ in range(5):
        earlier = await put(files)
        later, _ = await asyncio.gather(put(files), files.delete(earlier.file_id))
        assert await read(files, later) == CONTENT
        await files.delete(later.file_id)
        assert await storage.list() == []


async def test_bytes_that_vanished_come_back_with_the_next_upload(files: DocumentStore, storage: Storage) -> None:
    lost = await put(files)
    await storage.delete(lost.path)
    assert await read(files, await put(files)) == CONTENT
    assert await read(files, await put(files, reuse=True)) == CONTENT


async def test_what_the_transaction_refuses_leaves_nothing_behind(
    files: DocumentStore, storage: Storage, tmp_path: Path
) -> None:
    async def refuse(session: AsyncSession, document: Document) -> None:
        raise RuntimeError("not this one")

    with pytest.raises(RuntimeError, match="not this one"):
        await files.upload(in_chunks(CONTENT), owner="acme", name="a.pdf", recorded=refuse)
    assert await storage.list() == []
