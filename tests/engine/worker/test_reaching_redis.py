"""A worker that cannot reach the queue server as it is configured says so, before it says that it is ready."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.store import Store
from service.lib.reminder import Reminder
from tests.engine import probe
from tests.engine.conftest import WorkerProcess
from tests.waiting import wait_until, wait_until_async


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f":{password}@{parts.hostname}:{parts.port}").geturl()


async def test_a_wrong_password_is_said_instead_of_ready(
    start_worker: Callable[..., WorkerProcess], settings_env: dict[str, str], store: Store, enqueuer: Enqueuer
) -> None:
    wrong = start_worker(OFFLOAD_REDIS_URL=with_password(settings_env["OFFLOAD_REDIS_URL"], "wrong"))
    wait_until(lambda: "worker.redis_away" in wrong.log.read_text())
    wrong.terminate()
    assert wrong.process.wait(30) == 0
    text = wrong.log.read_text()
    assert "worker.ready" not in text and "invalid username-password" in text
    right = start_worker()
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")

    async def done() -> bool:
        return (await store.present(accepted.job_id)).state == "completed"

    await wait_until_async(done)
    assert "worker.ready" in right.log.read_text()


def test_a_trouble_that_lasts_is_said_again_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000, 1181))
    now_s = [1000]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    reminder = Reminder()
    assert not reminder.over()

    def due_at(second: int) -> bool:
        now_s[0] = second
        return reminder.due()

    message = [second for second in clock if due_at(second)]
    assert message == [1000, 1060, 1120, 1180]
    assert reminder.over() and not reminder.over() and reminder.due()
