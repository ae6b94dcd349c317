"""`OwnerErasure`: everything that an owner has here goes, and a signed list says what it was.

Each step finds its things by what the next ones still need, so that an erasure that was cut short is finished by another one.
"""

from collections import Counter

from service.database import Database
from service.database.column_types import utc_now
from service.documents.resumable import upload_folder
from service.documents.store import document_folder
from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.schedules.owned import OwnedSchedules
from service.engine.store.erasures import Begun, Erasures, rewrite_log
from service.engine.store.job_search import jobs_of
from service.engine.store.owner_keys import OwnerKeys
from service.engine.store.placed import open_store
from service.engine.store.usage_counts import UsageCounts
from service.erasure.jobs import STOP_S, job_files, remove_jobs
from service.erasure.signed_list import SignedList, pseudonym, signed_list
from service.erasure.tables import AT_ONCE, LINES, MESSAGES, OwnerRows, compact
from service.lib.storage.object_storage import Storage
from service.mail.campaign_removal import CampaignRemoval
from service.monitoring.audit_log import Audit, AuditEntry, Target
from service.monitoring.fairness import Fairness
from service.monitoring.metering import Metering
from service.monitoring.owner_alerts.counters import forget_owners as forget_alerts
from service.webhooks.erasure import forget_owners, untold_ends
from settings import Settings

OUTSIDE = (
    "backups, and files that were copied elsewhere",
    "logs of the processes, where the installation keeps them",
    "messages that were sent, and what webhooks delivered",
    "traces and metrics that were exported to other systems",
    "what openings of breakers and alerts have quoted of an error",
)
"""Places that no erasure reaches."""


AMOUNTS = "amounts of the fairness ledger"
ALTERED = (LINES, AMOUNTS)
"""Names in the list of what stays, without the owner's name."""


class NothingToErase(Exception):
    """There is nothing of the subject here. The message is a sentence."""


class OwnerErasure:
    """Erases one owner. `wait_s` bounds the wait for its running jobs."""

    def __init__(
        self, settings: Settings, database: Database, redis: Client, owner: str, wait_s: float = STOP_S
    ) -> None:
        self.settings, self.database, self.redis, self.owner, self.wait_s = settings, database, redis, owner, wait_s
        self.owners = (owner, f"webhooks:{owner}")
        self.erasures = Erasures(redis)
        self.store, self.storage = open_store(redis), Storage(settings.storage_url)
        self.files = job_files(self.store, self.storage, database)
        self.rows = OwnerRows(database, owner)
        self.schedules, self.fairness = OwnedSchedules(redis), Fairness(redis)
        self.name = pseudonym(settings.link_key, f"owner {owner}")
        self.begun_at = utc_now().isoformat(timespec="seconds")
        self.removed: Counter[str] = Counter()
        self.job_ids: set[str] = set()

    async def find(self) -> Counter[str]:
        """Things that would go or be altered, by kind. Raises NothingToErase, unless it was begun with."""
        found = await self._counts()
        if not found and not await self.erasures.begun(self.name):
            raise NothingToErase(f"There is nothing of an owner {self.owner[:80]} here.")
        return found

    async def erase(self, *, by: str, role: str = "operator") -> SignedList:
        """Remove it all. Raises NothingToErase, StillRunning."""
        await self.find()
        await self._note()
        self.removed["API keys"] += await self.rows.remove_keys()
        while removed := await self._round():
            self.removed += removed
            await self._note()
        # What was counted until now is written down, and then goes with the rest; nothing more is counted.
        await Metering(self.database, UsageCounts(self.redis)).carry()
        await self._note()
        self.removed += await self.rows.remove_rest()
        for place in places_of(self.redis).all:
            await forget_alerts(place.client, self.owners)
            self.removed += await OwnerKeys(place.client, self.owners, self.job_ids).remove()
        begun = await self._note()
        altered = {
            LINES: await self.rows.pseudonymise(self.name),
            AMOUNTS: await self.fairness.forget(self.owners),
        }
        await compact(self.database)
        rewritten = await rewrite_log(self.redis)
        # An attempt that died has removed or altered some of it, and left no list.
        self.removed |= Counter({kind: number for kind, number in begun.found.items() if kind not in ALTERED})
        altered = {kind: max(number, begun.found.get(kind, 0)) for kind, number in altered.items()}
        written = await self._list(begun.at, by, role, altered, rewritten)
        # Only now: one that died behind its last removal still owes the log's rewriting and its list.
        await self.erasures.end(self.name)
        return written

    async def _counts(self) -> Counter[str]:
        """Number of things that are there, by kind."""
        found = await self.rows.counts()
        found["jobs"] += len(await jobs_of(self.redis, self.owners))
        found["schedules"] += len(await self.schedules.of(self.owner))
        for place in places_of(self.redis).all:
            found[MESSAGES] += len(await untold_ends(place.client, self.owners))
        found[AMOUNTS] += await self.fairness.naming(self.owners)
        return +found

    async def _note(self) -> Begun:
        """Write down what has gone and what is about to."""
        return await self.erasures.note(self.name, self.begun_at, self.removed + await self._counts())

    async def _round(self) -> Counter[str]:
        """Remove what begins or carries work. Empty once there is none: an attempt that ended late may have begun some more."""
        removed: Counter[str] = Counter()
        for schedule in await self.schedules.of(self.owner):
            await self.schedules.remove(schedule.schedule_id)
            removed["schedules"] += 1
        # Ends that are still to be told of would become jobs again.
        for place in places_of(self.redis).all:
            removed[MESSAGES] += await forget_owners(place.client, self.owners)
        jobs = await jobs_of(self.redis, self.owners)
        self.job_ids |= set(jobs)
        removed["jobs"] += await remove_jobs(self.store, self.files, jobs, self.wait_s)
        campaigns = await self.rows.campaign_ids()
        removed["campaigns"] += await CampaignRemoval(self.database).forget(campaigns)
        removed["documents"] += await self._documents()
        removed["uploads"] += await self._uploads()
        return +removed

    async def _documents(self) -> int:
        """The files go first: rows without files are found again, files without rows are not."""
        ids = await self.rows.document_ids()
        for start in range(0, len(ids), AT_ONCE):
            for file_id in ids[start : start + AT_ONCE]:
                await self.storage.delete_prefix(document_folder(file_id))
            await self.rows.remove_documents(ids[start : start + AT_ONCE])
        return len(ids)

    async def _uploads(self) -> int:
        ids = await self.rows.upload_ids()
        for upload_id in ids:
            await self.storage.delete_prefix(upload_folder(upload_id))
        await self.rows.remove_uploads(ids)
        return len(ids)

    async def _list(self, begun: str, by: str, role: str, altered: dict[str, int], rewritten: bool) -> SignedList:
        outside = [*OUTSIDE]
        if self.owner in self.settings.api_keys.values():
            outside.insert(0, "OFFLOAD_API_KEYS, which still names the owner: remove it there, and restart")
        if not rewritten:
            outside.insert(0, "dumps of the queue server, which keeps no append-only file")
        if not self.database.sqlite:
            outside.insert(0, "write-ahead logs and replicas of PostgreSQL, until they are recycled")
        written = signed_list(
            self.settings.link_key,
            subject=self.name,
            kind="owner",
            begun=begun,
            by=by,
            removed=self.removed,
            altered=altered,
            outside=outside,
        )
        detail = ", ".join(f"{number:,} {kind}" for kind, number in written.removed.items())
        await Audit(self.database).record(
            AuditEntry(
                actor=by, role=role, action="owner.erased", target=Target("owner", self.name), owner="", detail=detail
            )
        )
        return written
