"""Limits over keys under real workers, of which one is killed: measured by the jobs themselves."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import Store
from tests.engine.conftest import Ledger, WorkerProcess
from tests.engine.limited import Touch, limited_touch
from tests.engine.store.test_limit_keys import see_that_it_is_consistent
from tests.waiting import wait_until, wait_until_async

JOBS = 1_500
OWNERS = ("acme", "globex", "initech")


def most_at_once(rows: Sequence[list[str]], column: int, killed: set[str]) -> dict[str, int]:
    """Jobs of each key that were within at a time, at most. A run that was cut short counts from its begin to the next begin
    of the job: its key may have been another's since the end of its lease."""
    events, begun = [], {}
    for kind, job_id, *more in rows:
        key, at = more[column], float(more[2])
        if kind == "in":
            begun[job_id] = at
        elif job_id in begun:
            events += [(begun.pop(job_id), 1, key), (at, -1, key)]
    assert set(begun) <= killed, "only runs of the killed worker have no end"
    within: dict[str, int] = defaultdict(int)
    most: dict[str, int] = defaultdict(int)
    for _, step, key in sorted(events):
        within[key] += step
        most[key] = max(most[key], within[key])
    return most


async def test_no_key_is_over_its_limit_and_every_job_ends_though_a_worker_is_killed(
    store: Store, enqueuer: Enqueuer, start_worker: Callable[..., WorkerProcess], ledger: Ledger
) -> None:
    ids: list[str] = []
    for number, owner in enumerate(OWNERS):
        payloads = [
            Touch(file_id=f"f{n % 4}" if n % 3 else None, hold_s=0.002 * (n % 3)) for n in range(number, JOBS // 3)
        ]
        ids += await enqueuer.enqueue_many(limited_touch, payloads, owner=owner)
    workers = [start_worker() for _ in range(3)]
    wait_until(lambda: len(ledger.lines("out")) > 50)
    workers[0].kill()

    async def all_ended() -> bool:
        counts = (await store.counts())["thumbnails"]
        return counts[State.COMPLETED] + counts[State.FAILED] == len(ids)

    await wait_until_async(all_ended)
    assert (await store.counts())["thumbnails"][State.FAILED] == 0
    rows = [["in", *row] for row in ledger.lines("in")] + [["out", *row] for row in ledger.lines("out")]
    rows.sort(key=lambda row: float(row[4]))
    done = {row[1] for row in rows if row[0] == "out"}
    assert done == set(ids)
    crashed = {job_id for job_id in ids if sum(row[1] == job_id and row[0] == "in" for row in rows) > 1}
    assert len(crashed) <= 4, "each slot of the killed worker had one"
    by_owner = most_at_once(rows, 0, crashed)
    by_file = {key: most for key, most in most_at_once(rows, 1, crashed).items() if key != "None"}
    assert set(by_owner) == set(OWNERS) and all(most <= 3 for most in by_owner.values()), by_owner
    assert len(by_file) == 4 and all(most == 1 for most in by_file.values()), by_file
    await see_that_it_is_consistent(store)
