"""A worker that gets kill -9 in the middle of a delivery."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.engine.states import State
from service.services import Services
from tests.engine import probe
from tests.prepared import Process, started
from tests.waiting import until_state, wait_until_async
from tests.webhooks.receiver import OK, Receiver

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.chaos]


@pytest.fixture
def start(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts workers of the queue `webhooks`, which permit loopback."""
    running: list[Process] = []
    log = tmp_path / "worker.log"

    def start() -> Process:
        more = {"OFFLOAD_WEBHOOKS_ALLOW_PRIVATE": "true", "OFFLOAD_LEASE_S": "2"}
        with log.open("ab") as output:
            running.append(started("arq", ["tasks.workers.Webhooks"], os.environ | settings_env | more, output))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait(10)
    print(log.read_text()[-4000:])


async def test_kill_9_in_the_middle_of_a_delivery(
    services: Services, receiver: Receiver, start: Callable[[], Process]
) -> None:
    webhook = await services.webhooks.rows.create("acme", receiver.url, ["job.cancelled"])
    await services.webhooks.dispatcher.sync()
    receiver.answer = None
    first = start()
    accepted = await services.enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    await services.store.cancel(accepted.job_id)
    await wait_until_async(lambda: len(receiver.received) == 1)
    first.kill()
    first.wait(10)
    receiver.answer = OK
    start()
    (job,) = (await services.store.list(queue="webhooks", limit=9)).jobs
    ended = await until_state(services.store, job.id)
    assert ended.state is State.COMPLETED
    (row,) = await services.webhooks.rows.deliveries(limit=9)
    assert (row.state, row.job_id, row.event) == ("delivered", accepted.job_id, "job.cancelled")
    assert len(receiver.received) == 2, "once to the end, and once to a worker that died"
    assert {one.headers["webhook-id"] for one in receiver.received} == {row.delivery_id}
    message = receiver.received[1].verified(webhook.secret)
    assert message["type"] == "job.cancelled"
