"""Search of all jobs' records, those in the bin included: for erasures, which must not rely on an index."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.sealing import SEALING
from service.engine.store import keys
from service.engine.store.records import Job, to_job
from service.lib.encryption import Unreadable

Load = Callable[[Job], Awaitable[object]]

PREFIX = keys.job("")

AT_ONCE = 1_000
"""Keys that one step of the search looks at."""


async def records(redis: Client) -> AsyncIterator[tuple[Client, bytes]]:
    """Keys of the records on each server, with its client."""
    for place in places_of(redis).all:
        async for raw in place.client.scan_iter(match=f"{PREFIX}*", count=AT_ONCE):
            yield place.client, raw


async def jobs_of(redis: Client, owners: Collection[str]) -> list[str]:
    """Ids of the jobs of these owners, in the bin too. Parts are found by their jobs."""
    found = []
    async for client, raw in records(redis):
        owner, parent = await client.hmget(raw, "owner", "parent")
        if owner is not None and owner.decode() in owners and not parent:
            found.append(raw.decode().removeprefix(PREFIX))
    return sorted(found)


async def jobs_naming(redis: Client, words: Collection[str], datasets: Collection[str], load: Load) -> list[str]:
    """Jobs that hold one of the words (small letters) anywhere in what is kept of them, and exports of these datasets. `load`
    reads a payload that lies in a file."""
    sought, listing = [word.encode() for word in words], [f'"{name}"'.encode() for name in datasets]
    found = set()
    async for client, raw in records(redis):
        record = await client.hgetall(raw)
        if b"state" not in record:
            continue
        job_id = raw.decode().removeprefix(PREFIX)
        job = to_job(job_id, record)
        if job.unreadable:
            # What cannot be read may name them: an erasure must not pass it over.
            raise Unreadable(job.unreadable)
        payload = record[b"payload"] = await _payload(job, load)
        exports = record.get(b"type") == b"csv-export" and any(one in payload for one in listing)
        if exports or await _names(client, sought, job, record):
            found.add(record.get(b"parent", b"").decode() or job_id)
    return sorted(found)


async def _payload(job: Job, load: Load) -> bytes:
    if job.payload_file:
        await load(job)
    return msgspec.json.encode(job.payload)


async def _names(redis: Client, words: Sequence[bytes], job: Job, record: dict[Any, Any]) -> bool:
    job_id = job.id
    opened = [job.result, job.data, job.artefacts, job.message, job.error, job.question, job.callback_url]
    texts = [*record.values(), msgspec.json.encode(opened)]
    texts += [SEALING.open(row, job_id, "log").encode() for row in await redis.lrange(keys.log(job_id), 0, -1)]
    for row in await redis.lrange(keys.attempts(job_id), 0, -1):
        entry = msgspec.json.decode(row)
        texts += [row, *(SEALING.open(entry.get(name) or "", job_id, f"attempt.{name}").encode() for name in ATTEMPT)]
    for field, body in (await redis.hgetall(keys.events(job_id))).items():
        texts.append(SEALING.open(body, job_id, field.decode()).encode())
    return any(word in text.lower() for word in words for text in texts)


ATTEMPT = ("error", "traceback")
"""Fields of an attempt that are encrypted."""


async def forget_files(redis: Client, job_id: str) -> None:
    """Have a job's record list no files, where there is one."""
    for place in places_of(redis).all:
        if await place.client.exists(keys.job(job_id)):
            await place.client.hset(keys.job(job_id), "artefacts", "[]")
