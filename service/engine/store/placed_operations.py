"""Operations over several servers: each freezes and does its own share under one id, and the shares are shown as one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from service.engine.redis.away import or_else
from service.engine.store.bulk_operations import BulkOperations, Kind, Operation, Selection, new_id
from service.engine.store.errors import StoreError, WrongState
from service.engine.store.undo import Undoable

if TYPE_CHECKING:
    from service.engine.store.placed import PlacedStore
    from service.engine.store.store import Store


class PlacedOperations(BulkOperations):
    """Operations of all servers. Each server's maintenance takes its own share on."""

    def __init__(self, store: "PlacedStore") -> None:
        super().__init__(store)
        self.store = store

    async def begin(
        self, kind: Kind, selection: Selection, *, words: str, by: str, operation_id: str = ""
    ) -> Operation:
        """As BulkOperations.begin. Raises QueueServerAway, before anything has begun, where a server does not answer."""
        operation_id = operation_id or new_id(kind)
        shares: dict[Store, Selection] = {}
        for job_id in selection.ids:
            store = await self.store.of_job(job_id)
            share = shares.get(store, replace(selection, ids=()))
            shares[store] = replace(share, ids=(*share.ids, job_id))
        shares = shares or dict.fromkeys(self.store.stores, selection)
        await asyncio.gather(*(store.redis.ping() for store in shares))
        for store, share in shares.items():
            await store.operations.begin(kind, share, words=words, by=by, operation_id=operation_id)
        return await self.present(operation_id)

    async def present(self, operation_id: str) -> Operation:
        shares = await asyncio.gather(*(or_else(_share(store, operation_id), None) for store in self.store.stores))
        found = [share for share in shares if share is not None]
        if not found:
            raise StoreError(f"there is no operation {operation_id}")
        return together(found)

    async def list(self, limit: int = 20) -> list[Operation]:
        rows = await asyncio.gather(*(or_else(store.operations.list(limit), []) for store in self.store.stores))
        shares: dict[str, list[Operation]] = {}
        for share in (share for row in rows for share in row):
            shares.setdefault(share.id, []).append(share)
        return sorted(map(together, shares.values()), key=lambda one: -one.begun_ms)[:limit]

    async def abort(self, operation_id: str) -> Operation:
        for store in self.store.stores:
            if await _share(store, operation_id):
                await store.operations.abort(operation_id)
        return await self.present(operation_id)

    async def undoable(self, operation_id: str) -> Undoable:
        """As BulkOperations.undoable, of the servers that answer."""
        each = await asyncio.gather(
            *(or_else(store.operations.undoable(operation_id), Undoable()) for store in self.store.stores)
        )
        return Undoable(sum(one.jobs for one in each), max(one.until_ms for one in each))

    async def undo(self, operation_id: str, *, by: str) -> Operation:
        """As BulkOperations.undo. Raises QueueServerAway, before anything is undone, where a server does not answer."""
        each = await asyncio.gather(*(store.operations.undoable(operation_id) for store in self.store.stores))
        shares = [store for store, one in zip(self.store.stores, each, strict=True) if one.jobs]
        if not shares:
            await self.present(operation_id)
            raise WrongState(f"nothing of the operation {operation_id} can be undone (any more)")
        await self.abort(operation_id)
        return together([await store.operations.undo(operation_id, by=by) for store in shares])


async def _share(store: "Store", operation_id: str) -> Operation | None:
    try:
        return await store.operations.present(operation_id)
    except StoreError:
        return None


def together(shares: Sequence[Operation]) -> Operation:
    """The shares of an operation as one: it runs as long as one of them does."""
    states = {share.state for share in shares}
    state = "running" if "running" in states else "aborted" if "aborted" in states else "done"
    return replace(
        min(shares, key=lambda share: share.begun_ms),
        state=state,
        total=sum(share.total for share in shares),
        done=sum(share.done for share in shares),
        skipped=sum(share.skipped for share in shares),
    )
