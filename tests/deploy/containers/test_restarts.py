"""Parts of the stack that stop and start while jobs run: nothing is lost, nothing spends a try, and the work goes on elsewhere."""

import httpx
import pytest

from tests.deploy.containers.requests import repeated, submit, upload
from tests.deploy.containers.stack import Stack
from tests.waiting import wait_until

SERVICE = "pdf-processing"
PAGES = 30
EXPORTS = 20
STARTED_S = 600.0


def pages_read(client: httpx.Client, job_id: str) -> int:
    return int(client.get(f"/api/jobs/{job_id}/status").json()["data"].get("pages_processed", 0))


def begun(client: httpx.Client, pages: int = PAGES) -> str:
    """A scan of which some pages have been read and others not."""
    job_id = submit(client, "pdf-ocr", {"file_id": upload(client, repeated(pages))})
    wait_until(lambda: pages_read(client, job_id) >= 2, STARTED_S)
    assert pages_read(client, job_id) < pages
    return job_id


def test_a_stopped_worker_s_job_goes_on_at_another_one(stack: Stack) -> None:
    stack.up("--scale", f"{SERVICE}=2", "--no-recreate")
    (first, second) = stack.containers(SERVICE)
    try:
        with stack.client() as client:
            job_id = begun(client)
            before = pages_read(client, job_id)
            stack.engine.run("podman", "stop", "--time", "40", first)
            assert stack.inspect(first)["State"]["ExitCode"] != 137, stack.logs(first)
            # What it had read is kept, so the other one goes on behind it.
            assert pages_read(client, job_id) >= before
            ended = stack.ended(client, job_id)
            assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
            assert ended["data"]["pages_processed"] == PAGES
            assert {part["attempt"] for part in ended["parts"]} == {1}
            parts = [client.get(f"/api/jobs/{part['id']}").json() for part in ended["parts"]]
            workers = {attempt["worker"] for part in parts for attempt in part["attempts"]}
            assert any(stack.inspect(second)["Config"]["Hostname"] in worker for worker in workers), workers
    finally:
        # The tests of the other file find one worker, and the first, as they would without this one.
        stack.engine.run("podman", "rm", "--force", "--time", "40", second)
        stack.engine.run("podman", "start", first)


@pytest.mark.parametrize("service", ["valkey", "postgres", "web"])
def test_jobs_outlast_a_restart_of(stack: Stack, service: str) -> None:
    with stack.client() as client:
        scan = begun(client)
        # Some of these run and some wait as the part goes.
        exports = [submit(client, "csv-export", {"dataset": "jobs", "format": "csv"}) for _ in range(EXPORTS)]
    (container,) = stack.containers(service)
    stack.engine.run("podman", "restart", "--time", "60", container)
    wait_until(lambda: stack.healthy(container), 120)
    with stack.client() as client:
        wait_until(lambda: ready(client))
        for job_id in (*exports, scan):
            ended = stack.ended(client, job_id)
            assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
        text = client.get(f"/api/jobs/{scan}/files/text.txt").text
    assert text.count("Meeting of the harbour board") == PAGES // 3


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False
