"""Dead letters by cause."""

from service.engine.store.bulk_operations import Selection
from tests.engine.store.conftest import dead_letters
from tests.waiting import wait_until_async


async def test_dead_letters_of_one_cause_are_one_group(store, enqueuer, start_worker, maintenance) -> None:
    ids = await dead_letters(store, enqueuer, start_worker, 3)
    (group,) = await store.error_groups.list()
    assert (group.seen, group.waiting, group.error_type, group.life) == (3, 3, "Permanent", "open")
    assert group.error == "there is nothing to be done about it" and group.sample in ids

    await store.error_groups.live(group.fingerprint, "resolved")
    selection = Selection(fingerprint=group.fingerprint)
    operation = await store.operations.begin("retry", selection, words="the whole group", by="ann")
    assert operation.total == 3
    await maintenance.operate()

    async def again() -> bool:
        found = await store.error_groups.get(group.fingerprint)
        return found is not None and found.seen == 6 and found.waiting == 3

    await wait_until_async(again)
    assert (await store.error_groups.get(group.fingerprint)).life == "regressed"
    operation = await store.operations.present(operation.id)
    assert (operation.state, operation.done, operation.skipped) == ("done", 3, 0)
