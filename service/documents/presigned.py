"""`PresignedUploads`: files that a client sends to the S3 storage itself, and that become documents once they are checked.

What the client may write to is not what the document is: the bytes are copied first and checked then, so that nothing that is
written to the address afterwards can slip past the check.
"""

import contextlib
import uuid
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Document, Upload, changed_rows
from service.documents.resumable import ResumableUploads, new_upload_id, upload_folder
from service.documents.store import DocumentStore, document_folder
from service.documents.upload_errors import NoSuchUpload
from service.lib.encryption import Damaged
from service.lib.storage.object_storage import NoSuchObject, Storage
from settings.amounts import counted
from tasks.sdk.errors import Refused

VALID = timedelta(hours=1)
"""Time in which the bytes must be sent and the upload completed: 5 GB at 12 Mbit/s."""

ONLY_S3 = (
    "Presigned uploads need S3 storage, and this installation keeps its files in a folder: "
    "send the file to POST /api/files, or in pieces to /api/uploads."
)

NOT_ENCRYPTED = (
    "Presigned uploads would reach the storage as they are, and this installation encrypts its files: "
    "send the file to POST /api/files, or in pieces to /api/uploads."
)

BEGINS_AS_ENCRYPTED = "{} begins as a file that this service has encrypted, which is not read here."


class PresignedUploads:
    """The presigned uploads of all owners."""

    def __init__(self, uploads: ResumableUploads, storage: Storage, files: DocumentStore) -> None:
        self.uploads = uploads
        self.storage = storage
        self.files = files

    async def begin(self, owner: str, name: str, size: int, sha256: str | None, *, reuse: bool) -> tuple[Upload, str]:
        """An upload and the URL to PUT its bytes to. Raises Refused (409 where storage is a folder or encrypted,
        400, 413), TooManyUploads."""
        if self.storage.keyring is not None:
            raise Refused(NOT_ENCRYPTED, field="storage", status_code=409)
        upload_id = new_upload_id()
        url = await self.storage.presigned_put(_place(upload_id), int(VALID.total_seconds()))
        if url is None:
            raise Refused(ONLY_S3, field="storage", status_code=409)
        upload = await self.uploads.create(
            owner, name, size, upload_id=upload_id, sha256=sha256, reuse=reuse, presigned=True, valid=VALID
        )
        return upload, url

    async def complete(self, upload_id: str, owner: str) -> Document:
        """The document of what was sent; the same one for a repeated call.

        Raises Refused: 409 where nothing was sent yet, 400 where size or digest are others than announced, and as any
        upload does; NoSuchUpload, UploadExpired.
        """
        upload = await self.uploads.get(upload_id, owner, presigned=True)
        if upload.file_id is not None:
            return await self.files.metadata(upload.file_id, owner)
        file_id = f"file-{uuid.uuid4().hex}"
        await self._take(upload, f"{document_folder(file_id)}/content")

        async def recorded(session: AsyncSession, document: Document) -> None:
            if upload.sha256 not in (None, document.sha256):
                raise Refused(f"{upload.name} has another SHA-256 than announced.", field="sha256")
            open_still = (Upload.upload_id == upload_id, Upload.file_id.is_(None))
            moved = {"file_id": document.file_id, "received": document.bytes}
            if not await changed_rows(session, update(Upload).where(*open_still).values(**moved)):
                raise NoSuchUpload(upload_id)

        try:
            document = await self.files.take_stored(
                file_id, owner=owner, name=upload.name, reuse=upload.reuse, recorded=recorded
            )
        except NoSuchUpload:
            # Of two calls at the same time the other was first.
            return await self.complete(upload_id, owner)
        with contextlib.suppress(Exception):
            await self.storage.delete_prefix(upload_folder(upload_id))
        return document

    async def _take(self, upload: Upload, target: str) -> None:
        """Copy what was sent to `target`, where the client cannot write. Raises Refused."""
        try:
            shape, _ = await self.storage.shape(_place(upload.upload_id))
            size = shape.size
            if shape.key_id is not None:
                raise Refused(BEGINS_AS_ENCRYPTED.format(upload.name), field="file", status_code=415)
            if size == upload.bytes:
                await self.storage.copy(_place(upload.upload_id), target)
                return
        except NoSuchObject:
            sentence = "Nothing was sent to the upload's URL yet."
            raise Refused(sentence, field="file", status_code=409) from None
        except Damaged:
            raise Refused(BEGINS_AS_ENCRYPTED.format(upload.name), field="file", status_code=415) from None
        raise Refused(f"{upload.name} has {counted(size, 'byte')}, and {upload.bytes:,} were announced.", field="bytes")


def _place(upload_id: str) -> str:
    return f"{upload_folder(upload_id)}/content"
