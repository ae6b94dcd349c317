"""`assert_enqueued` and `drain`, on a chain of three jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offload.testing import LocalRun, assert_enqueued, drain
from settings import Queue
from tasks.sdk import Finished, Payload, Permanent, Run, job
from tasks.sdk.types import REGISTRY, JobType


class Words(Payload, frozen=True):
    text: str = ""
    source: str = ""


@pytest.fixture
def chain() -> Iterator[dict[str, JobType]]:
    """`write` starts `read`, which reads its file; `count` follows each `read`."""
    before = dict(REGISTRY)

    @job(queue=Queue.THUMBNAILS, name="chain-read")
    async def read(payload: Words, run: Run) -> str:
        if not payload.text:
            raise Permanent("There is nothing to read.")
        return (await run.artefact_of(payload.source, "text.txt")).decode()

    @job(queue=Queue.THUMBNAILS, name="chain-write")
    async def write(payload: Words, run: Run) -> None:
        await run.artefact("text.txt", payload.text.encode(), "text/plain")
        await run.then(read, Words(text=payload.text, source=run.job_id))

    def follow(finished: Finished) -> Words:
        return Words(text=finished.result, source=finished.job_id)

    @job(queue=Queue.THUMBNAILS, name="chain-count", after="chain-read", follow=follow)
    async def count(payload: Words, run: Run) -> int:
        return len(payload.text.split())

    yield {"write": write, "read": read, "count": count}
    REGISTRY.clear()
    REGISTRY.update(before)


async def test_a_chain_is_run_to_its_end(chain: dict[str, JobType], tmp_path: Path) -> None:
    run = LocalRun(tmp_path)
    await run.execute(chain["write"], Words(text="one two"))
    assert assert_enqueued(run, "chain-read", source="local-1") == Words(text="one two", source="local-1")
    read, count = await drain(run)
    assert (read.job.name, read.result) == ("chain-read", "one two")
    assert (count.job.name, count.result) == ("chain-count", 2)
    assert count.payload == Words(text="one two", source=read.run.job_id)
    assert await drain(run) == [], "each is run once"
    assert_enqueued(run, chain["read"])


async def test_what_was_not_enqueued_is_said_with_what_was(chain: dict[str, JobType], tmp_path: Path) -> None:
    run = LocalRun(tmp_path)
    with pytest.raises(AssertionError, match="chain-read was not enqueued; the job started nothing"):
        assert_enqueued(run, "chain-read")
    await run.execute(chain["write"], Words())
    with pytest.raises(
        AssertionError, match=r"with \{'text': 'other'\} was not enqueued; the job started chain-read \{"
    ):
        assert_enqueued(run, "chain-read", text="other")
    (failed,) = await drain(run)
    assert isinstance(failed.error, Permanent) and failed.result is None, "and nothing follows it"
