"""The parts of corrections, wired together."""

from typing import NamedTuple

from service.database import Database
from service.documents.corrections.correcting import Correcting
from service.documents.corrections.port import CorrectionPort
from service.documents.corrections.readings import Readings
from service.documents.corrections.revising import Revising
from service.documents.corrections.rows import CorrectionRows
from service.documents.store import DocumentStore
from service.engine.enqueuer import Enqueuer
from service.engine.maintenance import Duty
from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import Store
from service.lib.storage.object_storage import Storage

CATCH_UP_S = 5.0
"""Interval in which files are looked for that have not followed a correction: its process died in between."""


class CorrectionParts(NamedTuple):
    """The service, the port of tasks, and the duty that has files follow after a crash."""

    correcting: Correcting
    port: CorrectionPort
    duty: Duty


def correction_parts(
    database: Database, store: Store, storage: Storage, files: DocumentStore, enqueuer: Enqueuer, pool: CpuPool
) -> CorrectionParts:
    """Make the parts; they keep nothing open."""
    rows = CorrectionRows(database)
    readings = Readings(rows, store, storage)
    revising = Revising(readings, rows, store, storage, files)
    correcting = Correcting(rows, readings, revising, store, enqueuer, pool)
    port = CorrectionPort(rows, readings, revising, files)
    return CorrectionParts(correcting, port, Duty("corrections", CATCH_UP_S, correcting.catch_up, apart=True))
