"""Replacement of keys: every record that the first key does not encrypt is written again, under it.

Each value names its key, so that an interrupted round goes on where it was. A value is replaced only where it is still as it was
read: what a worker or a client has written in the meantime stays.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.schedules import keys as schedule_keys
from service.engine.schedules.owned import SEALED_AS
from service.engine.sealing import CLEAR_SEARCH_KEYS, FIELDS, MARK, SEALING
from service.engine.store import keys
from service.engine.store.job_search import records
from service.engine.store.records import Job, to_job
from service.engine.store.script_inputs import found_by
from service.engine.store.scripts import REWRAP, REWRAP_ROWS
from service.engine.store.sealed_records import bound_to
from service.engine.store.worker_verbs import checkpoint_value
from service.lib.encryption import Unreadable
from service.lib.storage.rewrapping import Rewrapped
from tasks.sdk.types import REGISTRY

pack = msgspec.msgpack.Encoder().encode

AT_ONCE = 1_000
"""Keys that one step of the search looks at."""


class Change(NamedTuple):
    """A field of a hash as it was read and as it is to be; a checkpoint's name is a digest too."""

    field: str
    old: str
    new: str
    name: str


class Rewrapping:
    """One round. `load` reads a payload that lies in a file, for the digests of its search keys."""

    def __init__(self, redis: Client, load: Callable[[Job], Awaitable[object]]) -> None:
        self.redis = redis
        self.load = load
        self.done = Rewrapped()

    async def run(self, progress: Callable[[int], object] = lambda done: None) -> Rewrapped:
        """Have all records of all servers encrypted under the first key. `progress` gets the number of jobs that are done."""
        count = 0
        async for redis, raw in records(self.redis):
            job_id = raw.decode().removeprefix(keys.job(""))
            try:
                await self._job(redis, job_id)
            except Unreadable as error:
                self.done.unreadable.append(str(error))
            count += 1
            progress(count)
        for place in places_of(self.redis).all:
            await self._others(place.client)
        return self.done

    async def _job(self, redis: Client, job_id: str) -> None:
        record = {name.decode(): value for name, value in (await redis.hgetall(keys.job(job_id))).items()}
        sealed_as = record.get("sealed_as", b"").decode()
        changes = []
        for field in sorted(FIELDS & record.keys()):
            changes += self._change(field, record[field].decode(), bound_to(job_id, field, sealed_as), field)
        if data := record.get("data", b"").decode():
            changes += self._data(job_id, data)
        names = await self._search_keys(job_id, record)
        if changes or names:
            await REWRAP(redis, keys.job(job_id), pack(changes), job_id, *(names or ()))
        await self._rows(redis, keys.log(job_id), job_id, _log_row)
        await self._rows(redis, keys.attempts(job_id), job_id, _attempt_row)
        await self._hash(redis, keys.events(job_id), lambda field, old: self._event(job_id, field, old))
        await self._hash(redis, keys.checkpoint(job_id), lambda field, old: self._checkpoint(job_id, field, old))

    async def _others(self, redis: Client) -> None:
        """Values beyond the jobs' own keys: texts of error groups, schedules of owners, callbacks of workflows."""
        for kind, field in (("error", "error"), ("workflow", "callback_url")):
            prefix = f"{keys.PREFIX}{kind}:"
            async for raw in redis.scan_iter(match=f"{prefix}*", count=AT_ONCE):
                old, sample = await redis.hmget(raw, field, "sample")
                bound = sample.decode() if sample else raw.decode().removeprefix(prefix)
                if old:
                    await self._write(redis, raw.decode(), self._known(field, old.decode(), bound, field))
        job_id, field = SEALED_AS
        await self._hash(redis, schedule_keys.OWNED, lambda name, old: self._known(name, old, job_id, field))

    async def _hash(self, redis: Client, key: str, change: Callable[[str, str], list[Change]]) -> None:
        found: list[Change] = []
        for name, value in (await redis.hgetall(key)).items():
            try:
                found += change(name.decode(), value.decode())
            except UnicodeDecodeError:
                # A checkpoint of a time before there were keys: eight random bytes, of no client.
                continue
        await self._write(redis, key, found)

    async def _write(self, redis: Client, key: str, changes: Sequence[Change]) -> None:
        if changes:
            await REWRAP(redis, key, pack(changes))

    def _known(self, field: str, old: str, bound: str, sealed_as: str) -> list[Change]:
        try:
            return self._change(field, old, bound, sealed_as)
        except Unreadable as error:
            self.done.unreadable.append(str(error))
            return []

    def _change(self, field: str, old: str, bound: str, sealed_as: str) -> list[Change]:
        """The change of one value, which is counted; none where the first key has encrypted it. Raises Unreadable."""
        if not old or not self._counted(old):
            return []
        return [Change(field, old, SEALING.seal(SEALING.plain(old, bound, sealed_as), bound, sealed_as), field)]

    def _counted(self, old: str) -> bool:
        """True where the value is to be encrypted again."""
        key_id = SEALING.key_id(old)
        if SEALING.keyring and key_id == SEALING.keyring.sealing_id:
            self.done.current += 1
            return False
        self.done.rewrapped += key_id is not None
        self.done.encrypted += key_id is None
        return True

    def _data(self, job_id: str, old: str) -> list[Change]:
        data: dict[str, Any] = msgspec.json.decode(old)
        plain = dict(data)
        for name, value in data.items():
            if isinstance(value, str) and value.startswith(MARK) and self._counted(value):
                plain[name] = msgspec.json.decode(SEALING.open(value, job_id, f"data.{name}"))
        new = {
            name: value
            if isinstance(value, str) and value.startswith(MARK)
            else SEALING.data({name: value}, job_id)[name]
            for name, value in plain.items()
        }
        return [Change("data", old, msgspec.json.encode(new).decode(), "data")] if new != data else []

    def _event(self, job_id: str, field: str, old: str) -> list[Change]:
        return self._known(field, old, job_id, field) if field.startswith("event:") else []

    def _checkpoint(self, job_id: str, field: str, old: str) -> list[Change]:
        if not old.startswith(MARK) or not self._counted(old):
            return []
        name, _ = checkpoint_value(job_id, old.encode())
        kept = SEALING.seal(SEALING.open(old, job_id, "checkpoint"), job_id, "checkpoint")
        return [Change(field, old, kept, SEALING.digest(name, f"checkpoint {job_id}"))]

    async def _rows(self, redis: Client, key: str, job_id: str, again: Callable[["Rewrapping", str, str], str]) -> None:
        changes = []
        for raw in await redis.lrange(key, 0, -1):
            old = raw.decode()
            new = again(self, job_id, old)
            if new != old:
                changes.append([old, new])
        if changes:
            await REWRAP_ROWS(redis, key, pack(changes))

    async def _search_keys(self, job_id: str, record: Mapping[str, bytes]) -> tuple[bytes, bytes] | None:
        """A job's search keys as they are and as they are to be; None where that is the same."""
        packed = record.get("find")
        job_type = REGISTRY.get(record.get("type", b"").decode())
        if packed is None or job_type is None:
            return None
        job = to_job(job_id, {name.encode(): value for name, value in record.items()})
        if job.unreadable:
            raise Unreadable(job.unreadable)
        await self.load(job)
        before: list[str] = msgspec.msgpack.decode(packed)
        declared = [SEALING.find(name) for name in found_by(job_type, msgspec.convert(job.payload, job_type.payload))]
        ours = {*job_type.search_keys} - {*CLEAR_SEARCH_KEYS}
        names = declared + [name for name in before if name.partition(":")[0] not in ours]
        return (packed, pack(names)) if sorted(names) != sorted(before) else None


def _log_row(round: Rewrapping, job_id: str, old: str) -> str:
    found = round._known("log", old, job_id, "log")
    return found[0].new if found else old


def _attempt_row(round: Rewrapping, job_id: str, old: str) -> str:
    entry, changed = msgspec.json.decode(old), False
    for name in ("error", "traceback"):
        for change in round._known(name, entry.get(name) or "", job_id, f"attempt.{name}"):
            entry[name], changed = change.new, True
    return msgspec.json.encode(entry).decode() if changed else old
