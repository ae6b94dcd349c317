"""Quarantine in the log, the audit log and the alerts: an upload puts documents there, or a later scan of no request."""

import structlog

from service.database import Document
from service.documents.scan_record import ScanRecord
from service.monitoring.audit_log import Audit, AuditEntry, Target

log = structlog.get_logger("offload.malware")


class QuarantineLog:
    """Writes down in which documents malware was found."""

    def __init__(self, audit: Audit, scans: ScanRecord) -> None:
        self._audit = audit
        self._scans = scans

    async def write(self, document: Document) -> None:
        """One line, which the document's owner may read."""
        log.warning("malware.found", file_id=document.file_id, owner=document.owner, signature=document.signature)
        await self._scans.found(document.file_id)
        await self._audit.record(
            AuditEntry(
                actor="offload",
                role="system",
                action="file.quarantined",
                target=Target("file", document.file_id),
                owner=document.owner,
                detail=document.signature or "",
            )
        )
