"""A page of a filtered list: whatever index leads, it holds exactly what a look at every record finds, newest first."""

import itertools

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import JobFilter, Store
from service.engine.store.listing import cursor_of, read_cursor
from tests.engine import probe

OWNERS, STATES = ("acme", "globex"), (State.QUEUED, State.CANCELLED)
TYPES = (probe.probe_echo, probe.probe_trouble)


@pytest.fixture
async def ids(store: Store, enqueuer: Enqueuer) -> list[str]:
    """Jobs of each owner, type and state, in the order in which they came."""
    found = []
    for n, (owner, job_type, state) in enumerate(itertools.product(OWNERS, TYPES, STATES)):
        for _ in range(1 + n % 3):
            payload = probe.Echo() if job_type is probe.probe_echo else probe.Trouble(kind="permanent")
            accepted = await enqueuer.enqueue(job_type, payload, owner=owner)
            if state is State.CANCELLED:
                await store.cancel(accepted.job_id)
            found.append(accepted.job_id)
    return found


@pytest.mark.parametrize("queue", [None, "thumbnails", "csv-export"])
@pytest.mark.parametrize("owner", [None, "acme", "nobody"])
@pytest.mark.parametrize("limit", [2, 50])
async def test_pages_hold_what_every_record_says(store: Store, ids, queue, owner, limit: int) -> None:
    for state, job_type in itertools.product((None, *STATES), (None, "probe-echo")):
        wanted = JobFilter(queue, state, job_type, owner)
        fits = [job.id for job in await store.get_many(ids[::-1]) if job and wanted.fits(job)]
        found, cursor = [], None
        while True:
            page = await store.page(wanted, limit, cursor)
            found += [job.id for job in page.jobs]
            assert len(page.jobs) <= limit
            if (cursor := page.next_cursor) is None:
                break
        assert found == fits


async def test_a_job_that_comes_while_pages_are_turned_shifts_none(store: Store, enqueuer: Enqueuer, ids) -> None:
    first = await store.page(JobFilter(owner="acme"), 3)
    await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    second = await store.page(JobFilter(owner="acme"), 3, first.next_cursor)
    assert not {job.id for job in first.jobs} & {job.id for job in second.jobs}
    assert await store.newer(JobFilter(owner="acme"), first.jobs[0].stamp, 10) == 1


def test_a_cursor_is_read_as_it_was_given_out() -> None:
    assert read_cursor(cursor_of(1_764_387_754_123_456)) == 1_764_387_754_123_456
    assert read_cursor(None) is None
    with pytest.raises(ValueError, match="is not one that a list has given out"):
        read_cursor("not-ours")
