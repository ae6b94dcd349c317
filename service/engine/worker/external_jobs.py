"""Jobs that another service enqueued with plain arq get a record of ours, so that they run, retry and show like any other."""

from typing import Any

import msgspec
import structlog

from service.engine.enqueuer import Enqueuer
from service.engine.store import Store
from service.engine.store.script_inputs import NewJob
from tasks.sdk.types import REGISTRY, JobType

log = structlog.get_logger("offload.worker")

OWNER = "unknown"
"""Owner of a job that came without a key: only operators see it."""

PICKLE = "this job was serialized with pickle, which Offload never reads; enqueue it with a JSON or msgpack serializer"


class Unreadable(Exception):
    """An arq entry that cannot become a job; the message says why."""


async def import_jobs(store: Store, enqueuer: Enqueuer, queue: str, job_ids: list[str]) -> None:
    """Make records for arq entries that have none. What cannot be read becomes a dead letter that says why.

    `job_ids` are members of `queue` without a record; one whose entry has expired is skipped.
    """
    raws = await store.arq_entries(job_ids)
    for job_id, raw in zip(job_ids, raws, strict=True):
        if raw is None:
            continue
        try:
            request = await _request(enqueuer, job_id, raw)
        except Unreadable as error:
            request = _refused(queue, job_id, str(error))
        request.queue, request.external = queue, True
        await store.queued([request])
        log.info("job.imported", job=job_id, type=request.type, refused=request.refused or None)


async def _request(enqueuer: Enqueuer, job_id: str, raw: bytes) -> NewJob:
    entry = _read(raw)
    job_type = REGISTRY.get(str(entry["f"]).replace("_", "-"))
    if job_type is None:
        raise Unreadable(f"no job type here is called {entry['f']}")
    try:
        payload = msgspec.convert(_payload(entry), job_type.payload)
    except msgspec.ValidationError as error:
        raise Unreadable(f"the arguments do not fit {job_type.name}: {error}") from None
    request = await enqueuer.request(job_type, payload, job_id=job_id, owner=OWNER)
    request.fields += ["arq_format", "json" if raw[:1] == b"{" else "msgpack"]
    return request


def _read(raw: bytes) -> dict[str, Any]:
    if raw[:1] == b"\x80" and raw[1:2] in b"\x02\x03\x04\x05":
        raise Unreadable(PICKLE)
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            entry = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(entry, dict) and {"f", "a", "k"} <= entry.keys():
            return entry
    raise Unreadable("this job is neither JSON nor msgpack as arq writes them")


def _payload(entry: dict[str, Any]) -> dict[str, Any]:
    args, kwargs = entry["a"], entry["k"]
    if len(args) == 1 and isinstance(args[0], dict) and not kwargs:
        return args[0]
    if args:
        raise Unreadable("give the payload as keyword arguments, or as one dictionary")
    return dict(kwargs or {})


def _refused(queue: str, job_id: str, reason: str) -> NewJob:
    declared: JobType | None = next((t for t in REGISTRY.values() if t.queue == queue), None)
    return NewJob(
        id=job_id,
        queue=queue,
        type=declared.name if declared else queue,
        owner=OWNER,
        priority="normal",
        cost=0,
        due=0,
        fields=["payload", "{}", "retries", 0],
        find=[],
        refused=reason,
    )
