"""The API and the pages over two queue servers, of which one goes away and comes back."""

import httpx
import pytest
from litestar import Litestar

from dashboard.app import create_app
from service.supervisor.valkey import EmbeddedValkey
from settings import Queue, load_settings
from tests.api.conftest import Served
from tests.dashboard.conftest import OPERATOR
from tests.dashboard.made import Maker
from tests.engine import probe
from tests.two_servers import AWAY, second
from tests.waiting import wait_until_async

__all__ = ["second"]

EXPORT = {"dataset": "jobs", "query_params": {}, "format": "csv"}
SENTENCE = f"{AWAY[0].upper()}{AWAY[1:]}."
NOTICE = "The server of the queue thumbnails does not answer: its jobs and figures are missing here"
PAGES = ("queues", "jobs", "workers", "errors", "metrics", "storage", "schedules", "operations", "queues/csv-export")


@pytest.fixture
def app(second: EmbeddedValkey) -> Litestar:
    """The whole application: the API and the dashboard."""
    return create_app(load_settings())


async def test_a_server_that_is_away_stops_its_own_queue_alone(
    second: EmbeddedValkey, served: Served, acme: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    enqueuer = served.services.enqueuer
    pictures = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    exported = (await acme.post("/api/jobs/csv-export", json=EXPORT)).json()["job_id"]
    assert [job["id"] for job in (await acme.get("/api/jobs")).json()["jobs"]] == [exported, pictures]
    for page in PAGES:
        answer = await anonymous.get(f"/admin/{page}", auth=OPERATOR)
        assert (answer.status_code, NOTICE in answer.text) == (200, False), page

    # A job of the queue from before it had a server of its own.
    main = served.services.store.of_queue("csv-export")
    await main.queued([await enqueuer.request(probe.probe_echo, probe.Echo(), owner="acme", job_id="probe-echo-old")])
    for queue in Queue:
        await Maker(served.services).worker(queue)
    left = "1 job of the queue thumbnails waits on the main server, where none of its workers looks"
    assert left in (await acme.get("/workers/health")).json()["detail"]
    await served.services.store.cancel("probe-echo-old")
    assert (await acme.get("/workers/health")).json()["status"] == "ok"

    second.kill()
    health = await acme.get("/workers/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["detail"] == "The server of the queue thumbnails does not answer."
    accepted = await acme.post("/api/jobs/csv-export", json=EXPORT)
    assert accepted.status_code == 202
    assert (await acme.get(f"/api/jobs/{exported}/status")).json()["status"] == "queued"
    assert (await acme.get("/api/jobs", params={"queue": "csv-export"})).status_code == 200
    for address in ("/api/jobs", "/api/jobs?queue=thumbnails", f"/api/jobs/{pictures}/status"):
        answer = await acme.get(address)
        assert (answer.status_code, answer.json()["detail"]) == (503, SENTENCE), address
        assert answer.headers["Retry-After"]
    assert (await anonymous.get("/health/ready")).status_code == 200
    assert 'offload_queue_server_up{queue="thumbnails"} 0.0' in (await anonymous.get("/metrics")).text

    async def noticed() -> bool:
        return NOTICE in (await anonymous.get("/admin/queues", auth=OPERATOR)).text

    await wait_until_async(noticed)
    for page in (*PAGES, f"jobs/{exported}"):
        answer = await anonymous.get(f"/admin/{page}", auth=OPERATOR)
        assert (answer.status_code, NOTICE in answer.text) == (200, True), page
    lost = await anonymous.get(f"/admin/jobs/{pictures}", auth=OPERATOR)
    assert lost.status_code == 503 and SENTENCE in lost.text

    second.restart()

    async def back() -> bool:
        return (await acme.get("/api/jobs")).status_code == 200

    await wait_until_async(back)
    listed = [job["id"] for job in (await acme.get("/api/jobs")).json()["jobs"]]
    assert listed == [accepted.json()["job_id"], "probe-echo-old", exported, pictures]
