"""Parts of the stack that stop and start while jobs run: nothing is lost, nothing spends a try, and the work goes on elsewhere."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.deploy.containers.requests import repeated, submit, upload
from tests.deploy.containers.stack import HEALTHY_S, Stack
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


@pytest.fixture
def two_workers(stack: Stack) -> Iterator[tuple[str, str]]:
    """Two containers of the queue; afterwards the first alone, as the other tests expect it."""
    stack.up("--scale", f"{SERVICE}=2", "--no-recreate")
    (first, second) = stack.containers(SERVICE)
    yield first, second
    stack.engine.run("podman", "rm", "--force", "--time", "40", second)
    stack.engine.run("podman", "start", first)
    wait_until(lambda: stack.healthy(first), HEALTHY_S)


def host(stack: Stack, container: str) -> str:
    """The name that a worker of this container has in its id."""
    return str(stack.inspect(container)["Config"]["Hostname"])


def attempts_of_parts(client: httpx.Client, job: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [client.get(f"/api/jobs/{part['id']}").json()["attempts"] for part in job["parts"]]


def read_by(client: httpx.Client, job_id: str, worker: str) -> list[str]:
    """Parts that are being read at a worker."""
    parts = client.get(f"/api/jobs/{job_id}").json()["parts"]
    details = [client.get(f"/api/jobs/{part['id']}").json() for part in parts if part["status"] == "active"]
    return [detail["id"] for detail in details if worker in (detail["worker"] or "")]


def test_a_stopped_worker_s_job_goes_on_at_another_one(stack: Stack, two_workers: tuple[str, str]) -> None:
    first, second = two_workers
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
        workers = {one["worker"] for attempts in attempts_of_parts(client, ended) for one in attempts}
        assert any(host(stack, second) in worker for worker in workers), workers


def test_a_killed_worker_s_job_goes_on_at_another_one(
    stack: Stack, two_workers: tuple[str, str], figures: list[str]
) -> None:
    killed, other = (host(stack, container) for container in two_workers)
    with stack.client() as client:
        job_id = begun(client)
        held = wait_until(lambda: read_by(client, job_id, killed), STARTED_S)
        before = pages_read(client, job_id)
        # To podman this counts as a stop, so the container is not started again: its work can go on elsewhere alone.
        stack.engine.run("podman", "kill", "--signal", "KILL", two_workers[0])
        ended = stack.ended(client, job_id)
        assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
        assert ended["data"]["pages_processed"] == PAGES
        parts = attempts_of_parts(client, ended)
        crashed = [attempts for attempts in parts if attempts[0]["outcome"] == "crashed"]
        text = client.get(f"/api/jobs/{job_id}/files/text.txt").text
    assert crashed, (held, parts)
    for first, *rest in crashed:
        assert killed in first["worker"]
        assert [(one["outcome"], other in one["worker"]) for one in rest] == [("completed", True)]
    assert text.count("Meeting of the harbour board") == PAGES // 3
    figures.append(
        f"{SERVICE}: killed after {before} of {PAGES} pages, {len(crashed)} parts went on at the other worker: completed"
    )


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
