"""Names of the documents that jobs work on, and the documents that a name stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.database import Document
from service.documents.listing import documents_by_id
from service.documents.store import FILE_ID
from service.engine.store import Job
from service.services import Services

NAMED_MAX = 3
"""Documents that a row names: a job may have thousands, and its page leads to them."""


@dataclass(frozen=True)
class NamedFiles:
    """Documents of a job, the first NAMED_MAX of them, and how many more it has."""

    documents: list[Document]
    more: int


def file_ids_of(job: Job) -> list[str]:
    """Ids of documents that a job's payload names, in order."""
    return list(dict.fromkeys(value for value in _texts(job.payload) if FILE_ID.fullmatch(value)))


async def files_of(services: Services, jobs: Iterable[Job]) -> dict[str, NamedFiles]:
    """Documents of each job that are still there, by the job's id, in one query for all of them."""
    ids = {job.id: file_ids_of(job) for job in jobs}
    wanted = list(dict.fromkeys(one for found in ids.values() for one in found[:NAMED_MAX]))
    known = {one.file_id: one for one in await documents_by_id(services.database, wanted)} if wanted else {}
    return {
        job_id: NamedFiles([known[one] for one in found[:NAMED_MAX] if one in known], max(0, len(found) - NAMED_MAX))
        for job_id, found in ids.items()
        if found
    }


def _texts(payload: Mapping[str, Any]) -> Iterable[str]:
    for value in payload.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield one
