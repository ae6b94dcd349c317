"""`PayloadFiles`: payloads that are too large for a record. Each is a file of its job in the storage, which the record names.

A file is stored before the script that queues its job runs. What no record names in the end, because the job was refused or a
process died in between, goes at once where that is known, else with the next clean-up of the storage.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from service.engine.job_files import folder
from service.engine.outcomes import EnqueueOutcome
from service.engine.store import Job, Queued, Store
from service.engine.store.payloads import with_defaults
from service.engine.store.records import PAYLOAD_FILE, PayloadFile
from service.engine.store.script_inputs import NewJob, as_json
from service.lib.outages import outage_of
from service.lib.storage.object_storage import NoSuchObject, Storage
from tasks.sdk.errors import Permanent

INLINE_BYTES_MAX = 64 << 10
"""Bytes of a payload's JSON that a record holds. The queue server copies a record with each claim, and keeps it in memory and
in its log for as long as the job is kept; a file costs a few milliseconds once."""

SHOWN_BYTES_MAX = 1 << 20
"""Bytes of a payload that an answer or a page shows. A browser takes seconds for more, and a person does not read it."""

QUICK_BYTES = 256 << 10
"""Bytes above which a payload is hashed in a thread: the loop would stand still for milliseconds."""

FOLDER = "payloads"
"""Folder of the payloads within that of their job's files."""


class PayloadLost(Permanent):
    """A job's payload is missing in the storage, or is another than was stored. The message is a sentence."""


class Moved:
    """A payload that was stored as a file: of which request, and the jobs under which it lies."""

    def __init__(self, request: NewJob, name: str, under: set[str]) -> None:
        self.request, self.name, self.under = request, name, under


def payload_path(root: str, file: PayloadFile) -> str:
    """Storage path of a payload, which lies in the folder of its own job's files, or of its parent's."""
    return f"{folder(root)}/{file.path}"


def is_own_payload(job_id: str, path: str) -> bool:
    """True for the storage path of a payload of the job, or of a request that was merged into it; not for one of its parts."""
    base = f"{folder(job_id)}/{FOLDER}/"
    return path.startswith(base) and not path.startswith(f"{base}{job_id}.")


def too_large(request: NewJob) -> bool:
    """True where a record should not hold the request's payload."""
    text = request.payload
    # A character has four bytes at most.
    return len(text) * 4 > INLINE_BYTES_MAX and len(text.encode()) > INLINE_BYTES_MAX


class PayloadFiles:
    """Moves payloads out of requests and reads them back for jobs."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def move_out(self, requests: Sequence[NewJob], store: Store) -> list[Moved]:
        """Store what is too large for its record, and have the requests name the files. Raises what the storage raises."""
        large = [request for request in requests if too_large(request)]
        return list(await asyncio.gather(*(self._move(request, store) for request in large))) if large else []

    async def _move(self, request: NewJob, store: Store) -> Moved:
        body = request.payload.encode()
        digest = await _sha256(body)
        # A part is made once, and asked for again by each attempt of its parent: its file is then the same.
        name = f"{request.id}-{digest[:16]}" if request.parent else secrets.token_hex(10)
        file = PayloadFile(f"{FOLDER}/{name}.json", len(body), digest)
        under = {request.parent or request.id}
        if waiting := await store.merging_into(request):
            # The script may give the payload to a job that waits: it must find the file among its own.
            under.add(waiting)
        for root in under:
            await self.storage.put(payload_path(root, file), body)
        request.fields[1] = as_json({PAYLOAD_FILE: file})
        request.own_entry = True
        return Moved(request, file.path, under)

    async def settle(self, moved: Sequence[Moved], replies: Mapping[str, Queued]) -> None:
        """Remove files of requests that were not taken. `replies` are by the request's id; one without is left as it is."""
        for one in moved:
            reply = replies.get(one.request.id)
            if reply is None or reply.outcome is EnqueueOutcome.AWAY:
                # It may be queued all the same.
                continue
            merges = bool(one.request.merge or one.request.debounce)
            taken = reply.outcome is EnqueueOutcome.NEW or (merges and reply.outcome is EnqueueOutcome.SAME)
            taken_by = reply.job_id if taken else ""
            if taken_by and taken_by not in one.under:
                # The key's job changed while the file was stored. Its record names the file already.
                source, target = (f"{folder(root)}/{one.name}" for root in (one.request.id, taken_by))
                await self.storage.copy(source, target)
            await self._remove(f"{folder(root)}/{one.name}" for root in one.under if root != taken_by)

    async def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            with contextlib.suppress(Exception):
                # The clean-up of the storage finds what is left.
                await self.storage.delete(path)

    async def load(self, job: Job) -> None:
        """Read a job's payload from its file, where it has one. Raises PayloadLost, and what the storage raises."""
        file = job.payload_file
        if file is None:
            return
        try:
            body = await self.storage.get(payload_path(job.root, file))
        except NoSuchObject:
            raise PayloadLost(
                f"the payload of {job.id} ({file.bytes:,} bytes) is missing in the storage: submit the job again"
            ) from None
        if len(body) != file.bytes or await _sha256(body) != file.sha256:
            raise PayloadLost(
                f"the payload of {job.id} in the storage is not the one that was stored ({len(body):,} bytes, not "
                f"{file.bytes:,}, or another SHA-256): submit the job again"
            )
        job.payload = with_defaults(job.type, msgspec.json.decode(body))
        job.payload_file = None

    async def show(self, job: Job) -> str | None:
        """Read a payload that is small enough to be shown. Returns a sentence where it is not shown, and the reason."""
        file = job.payload_file
        if file is None:
            return job.unreadable or None
        if file.bytes > SHOWN_BYTES_MAX:
            return f"The payload has {file.bytes:,} bytes: more than the {SHOWN_BYTES_MAX:,} that are shown."
        try:
            await self.load(job)
        except Permanent as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        except Exception as error:
            outage = outage_of(error)
            if outage is None:
                raise
            return f"The payload cannot be shown: {outage.sentence[0].lower()}{outage.sentence[1:]}."
        return None


async def _sha256(body: bytes) -> str:
    if len(body) <= QUICK_BYTES:
        return hashlib.sha256(body).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, body)).hexdigest()
