"""Owners' use and limits, for the API and the dashboard."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.database import Database
from service.database.owners import Owners
from service.documents.quota import month_of
from service.documents.totals import DocumentTotals, totals_of
from service.engine.plans import Allowance, mails_of, requests_of
from service.engine.redis.away import or_else
from service.engine.redis.places import places_of
from service.engine.states import State
from service.engine.store import Store
from service.lib.clock import now_ms
from settings.plans import Limits
from settings.queues import Queue, QueueSettings


@dataclass(frozen=True)
class OwnerUse:
    """Present use of an owner. `requests` and `mails` are None where nothing bounds them: then none are counted."""

    owner: str
    limits: Limits
    waiting: int
    waiting_max: int
    running: int
    documents: int
    bytes: int
    pages: int
    """Uploaded in this calendar month (UTC)."""
    requests: int | None
    mails: int | None

    def over(self) -> list[str]:
        """Fields of the plan of which nothing is left."""
        values = self.limits.values
        pairs = {
            "queued_jobs": (self.waiting, self.waiting_max),
            "requests_per_minute": (self.requests, values.requests_per_minute),
            "stored_bytes": (self.bytes, values.stored_bytes),
            "pages_per_month": (self.pages, values.pages_per_month),
            "mails_per_hour": (self.mails, values.mails_per_hour),
        }
        return [
            field for field, (used, most) in pairs.items() if used is not None and most is not None and used >= most
        ]


@dataclass(frozen=True)
class OwnerUsage:
    """Reads the use of owners."""

    database: Database
    owners: Owners
    store: Store
    queues: Mapping[Queue, QueueSettings]

    async def of(self, owner: str) -> OwnerUse:
        """Use of one owner."""
        return (await self.of_all([owner]))[0]

    async def of_all(self, owners: Sequence[str]) -> list[OwnerUse]:
        """Use of several owners, in order."""
        rows = await self.owners.rows(owners)
        totals = await totals_of(self.database, owners)
        pages = await self.owners.pages(owners, month_of(now_ms())[0])
        return list(
            await asyncio.gather(
                *(
                    self._use(
                        one, self.owners.resolved(rows.get(one)), totals.get(one, DocumentTotals()), pages.get(one, 0)
                    )
                    for one in owners
                )
            )
        )

    async def _use(self, owner: str, limits: Limits, totals: DocumentTotals, pages: int) -> OwnerUse:
        states = await self.store.counts_of_owner(owner)
        bounds = [*(queue.owner_limit for queue in self.queues.values()), limits.values.queued_jobs]
        return OwnerUse(
            owner=owner,
            limits=limits,
            waiting=sum(number for state, number in states.items() if state.waiting),
            waiting_max=min(bound for bound in bounds if bound is not None),
            running=states[State.ACTIVE],
            documents=totals.documents,
            bytes=totals.bytes,
            pages=pages,
            requests=await self._used(requests_of(owner, limits)),
            mails=await self._used(mails_of(owner, limits)),
        )

    async def _used(self, allowance: Allowance | None) -> int | None:
        if allowance is None:
            return None
        # Each server counts what is accepted there.
        servers = places_of(self.store.redis).all
        return sum([await or_else(allowance.used(place.client), 0) for place in servers])
