"""The nightly look after thumbnails: what is missing or was made by an older recipe is made, and nothing else."""

import msgspec

from settings.queues import Queue
from tasks.images.variants import FORMATS, SIZES, variants
from tasks.ports.thumbnails import ThumbnailUpkeep
from tasks.sdk import Payload, Run, job
from tasks.thumbnails import DOCUMENTS_MAX, FailedDocument, counted, in_parts


class ThumbnailsMaintenance(Payload, frozen=True, kw_only=True):
    """Nothing to choose: all documents, the usual sizes."""


class Maintained(msgspec.Struct):
    """`removed` are stored pictures that no document needed any more; the rest counts documents.

    `put_off` is true where so many lacked thumbnails that some are left for the next night.
    """

    made: int
    failed: int
    failed_documents: list[FailedDocument]
    removed: int
    put_off: bool


class Plan(msgspec.Struct):
    """Work that was found to be done, kept so that the job finds the same when its parts have ended."""

    document_ids: list[str] = msgspec.field(default_factory=list)
    removed: int = 0
    put_off: bool = False


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=900, expected_s=5.0)
async def thumbnails_maintenance(payload: ThumbnailsMaintenance, run: Run) -> Maintained:
    """Make missing and outdated thumbnails, and remove those of deleted documents."""
    stored = await run.recall("plan.json")
    plan = msgspec.json.decode(stored, type=Plan) if stored else await _plan(run)
    if not stored:
        await run.keep("plan.json", msgspec.json.encode(plan))
    outcomes = await in_parts(plan.document_ids, SIZES, FORMATS, run) if plan.document_ids else []
    made = counted(outcomes)
    return Maintained(made.made + made.found, made.failed, made.failed_documents, plan.removed, plan.put_off)


async def _plan(run: Run) -> Plan:
    upkeep, wanted, plan = run.use(ThumbnailUpkeep), variants(SIZES), Plan()
    for shard in upkeep.shards:
        plan.document_ids += await upkeep.neglected(shard, wanted)
        plan.removed += await upkeep.tidy(shard)
        if len(plan.document_ids) > DOCUMENTS_MAX:
            plan.document_ids, plan.put_off = plan.document_ids[:DOCUMENTS_MAX], True
            break
    return plan
