"""`Rescans`: scans what could not be scanned when it came, and removes what has been in quarantine for long enough."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import func, select, update

from service.database import Database, Document
from service.database.column_types import utc_now
from service.documents.malware import Scan, Scanner, Verdict
from service.documents.quarantine import Quarantined, infect
from service.documents.store import DocumentStore, NoSuchFile
from service.lib.clamd import ScannerAway, StreamTooLong
from settings import Settings

BATCH = 100
"""Documents that are asked for at a time."""

TO_SCAN = (Scan.HELD, Scan.UNSCANNED)

log = structlog.get_logger("offload.malware")


class Rescans:
    """A duty of maintenance. `quarantined` is called for each document in which malware is found."""

    def __init__(
        self, settings: Settings, database: Database, files: DocumentStore, scanner: Scanner, quarantined: Quarantined
    ) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._scanner = scanner
        self._quarantined = quarantined

    async def round(self) -> None:
        """Scan what waits, as long as the scanner is there; remove what is old."""
        if self._scanner.there:
            await self._scan_waiting()
        await self._remove_old()

    async def _scan_waiting(self) -> None:
        after = ""
        while waiting := await self._waiting(after):
            for document in waiting:
                after = document.file_id
                try:
                    verdict = await self._scanner.stream(await self._files.bytes_of(document))
                except ScannerAway:
                    return
                except (StreamTooLong, NoSuchFile):
                    continue
                await self._settle(document, verdict)

    async def _waiting(self, after: str) -> Sequence[Document]:
        query = select(Document).where(Document.scan.in_(TO_SCAN), Document.file_id > after)
        async with self._database.reading() as session:
            return list(await session.scalars(query.order_by(Document.file_id).limit(BATCH)))

    async def _settle(self, document: Document, verdict: Verdict) -> None:
        """Write a verdict to every document of these bytes."""
        found: Sequence[Document] = []
        async with self._database.writing() as session:
            if verdict.signature:
                found = await infect(session, document.sha256, verdict.signature)
            else:
                waiting = (Document.sha256 == document.sha256, Document.scan.in_(TO_SCAN))
                clean = {"scan": Scan.CLEAN, "scanned_at": utc_now()}
                await session.execute(update(Document).where(*waiting).values(**clean))
        for one in found:
            await self._quarantined(one)

    async def _remove_old(self) -> None:
        before = utc_now() - timedelta(days=self._settings.quarantine_days)
        query = select(Document.file_id).where(Document.scan == Scan.INFECTED, Document.scanned_at < before)
        async with self._database.reading() as session:
            old = list(await session.scalars(query.limit(BATCH)))
        for file_id in old:
            await self._files.delete(file_id)
            log.info("malware.quarantine_removed", file_id=file_id, after_days=self._settings.quarantine_days)


async def scan_states(database: Database) -> dict[str, int]:
    """Number of documents in quarantine, held, and used without a scan."""
    wanted = (Scan.INFECTED, *TO_SCAN)
    query = select(Document.scan, func.count()).where(Document.scan.in_(wanted)).group_by(Document.scan)
    async with database.reading() as session:
        found = {str(state): int(number) for state, number in await session.execute(query)}
    return {str(state): found.get(state, 0) for state in wanted}
