"""The no-op job, as Offload's job types are declared."""

from bench.harness.stamps import stamp
from settings.queues import Queue
from tasks.job import Payload, job
from tasks.run import Run


class Stamp(Payload):
    enqueued_ns: int


@job(queue=Queue.THUMBNAILS, public=False)
async def bench_stamp(payload: Stamp, run: Run) -> None:
    """Says when it ran."""
    stamp(payload.enqueued_ns)
