"""`PersonErasure`: all that is here of one recipient of mail, over all owners.

A recipient is a row of `users`. What was written to it stays as a number in its campaigns; jobs that name its address, and files
that list recipients, go whole.
"""

import contextlib
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, or_, select

from service.database import Database, User
from service.database.column_types import utc_now
from service.engine.job_files import folder
from service.engine.payload_files import PayloadFiles, PayloadLost
from service.engine.redis.client import Client
from service.engine.store import Job
from service.engine.store.erasures import Erasures, rewrite_log
from service.engine.store.job_search import forget_files, jobs_naming
from service.engine.store.placed import open_store
from service.erasure.jobs import STOP_S, job_files, remove_jobs
from service.erasure.owner import OUTSIDE, NothingToErase
from service.erasure.signed_list import SignedList, pseudonym, signed_list
from service.erasure.tables import LINES, MESSAGES, RECIPIENTS, PersonRows, compact
from service.lib.storage.object_storage import Storage
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings import Settings

LISTS_PEOPLE = ("users", "deliveries")
"""Datasets of exports whose files list recipients."""

ALTERED = (RECIPIENTS, MESSAGES, LINES)
"""Names in the list of what stays, without the person."""

REPORTS = "reports of campaigns"
NOT_SEARCHED = "contents of documents and of files made from them, and texts of templates: they are their owners'"


class PersonErasure:
    """Erases one person, named by an address or by the id of a user."""

    def __init__(
        self, settings: Settings, database: Database, redis: Client, person: str, wait_s: float = STOP_S
    ) -> None:
        self.settings, self.database, self.redis, self.person, self.wait_s = settings, database, redis, person, wait_s
        self.erasures = Erasures(redis)
        self.store, self.storage = open_store(redis), Storage(settings.storage_url)
        self.payloads = PayloadFiles(self.storage)
        self.files = job_files(self.store, self.storage, database)
        self.name = pseudonym(settings.link_key, f"person {person.lower()}")

    async def rows(self) -> PersonRows:
        """The rows of the person."""
        wanted = self.person.strip().lower()
        ids = [int(wanted)] if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else []
        async with self.database.reading() as session:
            users = list(
                await session.scalars(select(User).where(or_(User.id.in_(ids), func.lower(User.email) == wanted)))
            )
        addresses = {user.email.lower() for user in users} | ({wanted} if "@" in wanted else set())
        return PersonRows(self.database, addresses, {user.id for user in users} | set(ids))

    async def find(self) -> Counter[str]:
        """Things that would go or be altered, by kind. Raises NothingToErase."""
        found = await self._counts(await self.rows())
        if not found and not await self.erasures.begun(self.name):
            raise NothingToErase(f"There is nothing of a person {self.person[:80]} here.")
        return found

    async def erase(self, *, by: str) -> SignedList:
        """Remove it all. Raises NothingToErase, StillRunning."""
        found, removed, rows = await self.find(), Counter[str](), await self.rows()
        begun = await self.erasures.note(self.name, utc_now().isoformat(timespec="seconds"), found)
        if rows.addresses:
            named = await self._jobs_naming(rows)
            removed["jobs"] += await remove_jobs(self.store, self.files, named, self.wait_s)
        for campaign_id in await rows.campaign_ids():
            # Its report lists every recipient.
            await self.storage.delete_prefix(f"{folder(campaign_id)}/")
            removed[REPORTS] += 1
            await forget_files(self.redis, campaign_id)
        # Jobs that ended in the meantime have left lines, and campaigns recipients.
        begun = await self.erasures.note(self.name, begun.at, removed | await self._counts(rows))
        altered = await rows.blank()
        removed += await rows.remove()
        await compact(self.database)
        await rewrite_log(self.redis)
        # An attempt that died has removed or altered some of it, and left no list.
        removed |= Counter({kind: number for kind, number in begun.found.items() if kind not in ALTERED})
        altered |= Counter({kind: begun.found.get(kind, 0) for kind in ALTERED})
        written = await self._list(begun.at, by, removed, altered)
        await self.erasures.end(self.name)
        return written

    async def _counts(self, rows: PersonRows) -> Counter[str]:
        """Number of things that are there, by kind."""
        found = await rows.counts()
        found[REPORTS] = len(await rows.campaign_ids())
        found["jobs"] = len(await self._jobs_naming(rows)) if rows.addresses else 0
        return +found

    async def _jobs_naming(self, rows: PersonRows) -> Sequence[str]:
        return await jobs_naming(self.redis, rows.addresses, LISTS_PEOPLE, self._load)

    async def _load(self, job: Job) -> None:
        # One whose file is gone holds nothing of anyone.
        with contextlib.suppress(PayloadLost):
            await self.payloads.load(job)

    async def _list(self, begun: str, by: str, removed: Counter[str], altered: Counter[str]) -> SignedList:
        written = signed_list(
            self.settings.link_key,
            subject=self.name,
            kind="person",
            begun=begun,
            by=by,
            removed=removed,
            altered=altered,
            outside=[NOT_SEARCHED, *OUTSIDE],
        )
        target = Target("person", self.name)
        await Audit(self.database).record(
            AuditEntry(actor=by, role="operator", action="person.erased", target=target, owner="")
        )
        return written
