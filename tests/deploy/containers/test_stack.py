"""The stack of compose.yml at work, with its rights, its limits and its stops. The tests build on each other's containers."""

import os
import re
import signal
import time

import pytest
import yaml

from tests.deploy.containers.requests import SCAN, picture, repeated, submit, upload
from tests.deploy.containers.stack import COMPOSE, Stack, memory
from tests.waiting import wait_until

OURS = sorted(
    name for name, one in yaml.safe_load(COMPOSE.read_text())["services"].items() if "offload" in one["image"]
)
WORKERS = [name for name in OURS if name != "web"]
PAGES = 300
ROWS = 100_000
UNITS = {"M": 1 << 20, "G": 1 << 30}


def limit(stack: Stack, service: str) -> int:
    """Bytes of memory that the file grants a service."""
    written = stack.services[service]["deploy"]["resources"]["limits"]["memory"]
    return int(written[:-1]) * UNITS[written[-1]]


def test_every_service_of_the_file_runs_and_is_healthy(stack: Stack) -> None:
    assert [len(stack.containers(service)) for service in stack.services] == [1] * len(stack.services)
    with stack.client() as client:
        assert client.get("/health/ready").json()["status"] == "ok"
        wait_until(lambda: client.get("/workers/health").json()["status"] == "ok")
        served = {worker["queue"] for worker in client.get("/workers/health").json()["workers"]}
    assert served == set(WORKERS)


@pytest.mark.parametrize("service", OURS)
def test_a_container_has_no_more_rights_than_it_needs(stack: Stack, service: str) -> None:
    (container,) = stack.containers(service)
    status = dict(re.findall(r"^(\w+):\s*(.*)$", stack.inside(container, "cat", "/proc/1/status"), re.M))
    assert set(status["Uid"].split()) == {"10001"}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    touch = "for d in / /app /etc /home/offload /opt/venv /data /tmp; do touch $d/probe 2>/dev/null && echo $d; done"
    assert stack.inside(container, "sh", "-c", f"{touch}; rm -f /data/probe /tmp/probe").split() == ["/data", "/tmp"]
    bounds = stack.inspect(container)["HostConfig"]
    written = stack.services[service]
    assert bounds["Memory"] == limit(stack, service)
    assert (bounds["PidsLimit"], bounds["CpuShares"]) == (written["pids_limit"], written.get("cpu_shares", 0))


@pytest.mark.parametrize("service", ["valkey", "postgres"])
def test_a_server_of_others_gives_its_rights_up(stack: Stack, service: str) -> None:
    (container,) = stack.containers(service)
    status = dict(re.findall(r"^(\w+):\s*(.*)$", stack.inside(container, "cat", "/proc/1/status"), re.M))
    assert "0" not in status["Uid"].split()
    assert (status["CapEff"], status["NoNewPrivs"]) == ("0" * 16, "1")


@pytest.mark.parametrize("service", WORKERS)
def test_children_are_confined_within_the_container_s_own_profile(
    stack: Stack, service: str, figures: list[str]
) -> None:
    with stack.client() as client:
        workers = client.get("/workers/health").json()["workers"]
    (found,) = [worker for worker in workers if worker["queue"] == service]
    # What the kernel has decides between the two; that seccomp is not among what is missing, the image and the profile.
    assert found["sandbox"] in ("on", "partial"), found
    assert "seccomp" in found["sandbox_detail"].partition("not held")[0], found
    figures.append(f"sandbox of {service}: {found['sandbox']}, {found['sandbox_detail']}")


def test_a_scan_goes_through(stack: Stack) -> None:
    with stack.client() as client:
        job_id = submit(client, "pdf-ocr", {"file_id": upload(client, SCAN.read_bytes())})
        ended = stack.ended(client, job_id)
        assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
        assert "Meeting of the harbour board" in client.get(f"/api/jobs/{job_id}/files/text.txt").text


def test_a_stop_in_the_middle_hands_the_job_back_and_the_limits_of_memory_suffice(
    stack: Stack, figures: list[str]
) -> None:
    service = "pdf-processing"
    with stack.client() as client:
        begun = time.monotonic()
        job_id = submit(client, "pdf-ocr", {"file_id": upload(client, repeated(PAGES))})

        def pages_read() -> int:
            return int(client.get(f"/api/jobs/{job_id}/status").json()["data"].get("pages_processed", 0))

        wait_until(lambda: pages_read() >= 3, 600)
        (container,) = stack.containers(service)
        first = memory(stack, container)
        stack.compose("stop", service)
        state = stack.inspect(container)["State"]
        assert state["ExitCode"] != 137, f"it did not stop within the grace: {stack.logs(container)}"
        returned = client.get(f"/api/jobs/{job_id}").json()
        # A long document is read in parts, for which the job itself waits without a worker.
        held = [part["id"] for part in returned["parts"] if part["status"] == "active"]
        assert held == [], f"{held} were not returned: {stack.logs(container)}"
        assert [attempt["outcome"] for attempt in returned["attempts"]] == []
        before = pages_read()
        stack.compose("start", service)
        ended = stack.ended(client, job_id)
        assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
        assert ended["data"]["total_pages"] == PAGES
    peak, killed = memory(stack, container)
    took_s = time.monotonic() - begun
    figures.append(
        f"{service}: {PAGES} pages in {took_s:.0f} s, stopped after {before}: at most {max(peak, first[0]) >> 20} MB "
        f"of {limit(stack, service) >> 20} MB"
    )
    assert killed == first[1] == 0


def test_the_limit_of_memory_suffices_for_a_large_export(stack: Stack, figures: list[str]) -> None:
    service = "csv-export"
    (web,), (container,) = stack.containers("web"), stack.containers(service)
    assert f"{ROWS} users" in stack.inside(web, "offload", "seed", "--users", str(ROWS), "--events", "0")
    with stack.client() as client:
        for format in ("csv", "xlsx"):
            ended = stack.ended(client, submit(client, service, {"dataset": "users", "format": format}))
            assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
            assert ended["result"]["rows"] >= ROWS
    peak, killed = memory(stack, container)
    figures.append(
        f"{service}: {ROWS} rows as CSV and XLSX: at most {peak >> 20} MB of {limit(stack, service) >> 20} MB"
    )
    for other in ("web", "postgres", "valkey"):
        (name,) = stack.containers(other)
        figures.append(f"{other}: at most {memory(stack, name)[0] >> 20} MB of {limit(stack, other) >> 20} MB")
    assert killed == 0


def test_a_child_that_the_container_s_limit_kills_costs_its_document_alone(stack: Stack) -> None:
    service = "thumbnails"
    (container,) = stack.containers(service)
    process, (_, before) = stack.inspect(container)["State"]["Pid"], memory(stack, container)
    with stack.client() as client:
        with stack.memory_limit(container, 300 << 20):
            # Some 300 MB of pixels, where worker and child hold 200 already.
            large = upload(client, picture((12_000, 9_000)), "large.png")
            ended = stack.ended(client, submit(client, service, {"document_ids": [large]}))
        assert (ended["status"], ended["error"]) == ("failed", "It takes too much memory to draw.")
        assert memory(stack, container)[1] > before, "it was not the kernel that killed it"
        small = upload(client, picture((600, 400)), "small.png")
        assert stack.ended(client, submit(client, service, {"document_ids": [small]}))["status"] == "completed"
    assert stack.inspect(container)["State"]["Pid"] == process


def test_a_killed_worker_is_started_again_and_its_job_completes(stack: Stack) -> None:
    service = "csv-export"
    (container,) = stack.containers(service)
    before = stack.inspect(container)["State"]["Pid"]
    # From outside, since the first process of a container takes no KILL from within; `podman kill` would count as a stop, after
    # which nothing is started again.
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: stack.inspect(container)["State"]["Pid"] not in (0, before))
    wait_until(lambda: stack.healthy(container), 120)
    with stack.client() as client:
        assert stack.ended(client, submit(client, service, {"dataset": "jobs"}))["status"] == "completed"


def test_a_queue_takes_a_second_worker(stack: Stack) -> None:
    service = "csv-export"
    stack.up("--scale", f"{service}=2", "--no-recreate")
    assert len(stack.containers(service)) == 2
    with stack.client() as client:

        def hosts() -> set[str]:
            workers = client.get("/workers/health").json()["workers"]
            return {one["host"] for one in workers if one["queue"] == service}

        wait_until(lambda: len(hosts()) == 2)
        jobs = [submit(client, service, {"dataset": "users", "format": "csv"}) for _ in range(8)]
        ran = {stack.ended(client, job_id)["attempts"][-1]["worker"] for job_id in jobs}
    assert len(ran) == 2, ran
