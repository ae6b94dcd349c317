"""`offload up` under fire: what is killed comes back, what is stopped is gone."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.ocr.documents import text_pdf
from tests.ports import free_port
from tests.supervisor.stack import KEY, OFFLOAD, Stack, gone
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos

Start = Callable[..., Stack]


def completed_job(stack: Stack) -> str:
    """Id of a job that was sent and has completed."""
    content, _ = text_pdf()
    with httpx.Client(base_url=stack.url, headers=KEY, trust_env=False, timeout=60) as client:
        stored = client.post("/api/files", files={"file": ("text.pdf", content)}).json()
        job_id: str = client.post("/api/jobs/pdf-ocr", json={"file_id": stored["file_id"]}).json()["job_id"]
        wait_until(lambda: client.get(f"/api/jobs/{job_id}/status").json()["status"] == "completed")
    return job_id


@pytest.mark.parametrize(
    "words",
    [("valkey-server",), ("uvicorn",), ("service.supervisor.mail_catcher",), ("tasks.workers.PdfProcessing",)],
    ids=["valkey", "web", "mail", "worker"],
)
def test_a_child_that_is_killed_comes_back_and_nothing_is_lost(stack: Stack, words: tuple[str, ...]):
    job_id = completed_job(stack)
    victim = stack.child(*words)
    victim.kill()
    wait_until(lambda: gone([victim]))
    wait_until(lambda: any(all(word in " ".join(_words(p)) for word in words) for p in stack.family()))
    wait_until(stack.ready)
    assert job_id in [job["id"] for job in stack.jobs()]
    completed_job(stack)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_in_order(start: Start, number: signal.Signals):
    stack = start().wait_ready()
    family = stack.family()
    os.kill(stack.process.pid, number)
    assert stack.process.wait(60) == 0, stack.log
    assert gone(family)
    assert "killed" not in stack.log and stack.log.rstrip().endswith("Stopped.")
    assert not (stack.folder / "data" / "redis.url").exists()


def test_a_closed_terminal_or_pipe_stops_it_in_order_too(tmp_path: Path):
    port = str(free_port())
    environment = os.environ | {"OFFLOAD_DATA_DIR": str(tmp_path / "data"), "OFFLOAD_PORT": port}
    with subprocess.Popen([*OFFLOAD, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as up:
        assert up.stdout is not None and b"serving on" in up.stdout.readline()
        up.stdout.close()
        assert up.wait(60) == 0
    assert not (tmp_path / "data" / "redis.url").exists()


@pytest.mark.slow
def test_killed_itself_it_leaves_nobody_behind_and_can_be_started_again(start: Start):
    first = start().wait_ready()
    job_id = completed_job(first)
    family = first.family()
    first.process.kill()
    wait_until(lambda: gone(family))
    second = start().wait_ready()
    assert [job["id"] for job in second.jobs()] == [job_id]


def test_a_port_in_use_is_said_in_one_sentence(start: Start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = start(OFFLOAD_PORT=str(port))
        assert stack.process.wait(60) == 1
    assert stack.log == (
        f"Nothing can listen on 127.0.0.1:{port} (Address already in use): set OFFLOAD_HOST or OFFLOAD_PORT.\n"
    )


def test_a_second_one_over_the_same_folder_is_refused(stack: Stack, start: Start):
    data = stack.folder / "data"
    second = start(OFFLOAD_DATA_DIR=str(data))
    assert second.process.wait(60) == 1
    assert second.log == f"Another queue server already runs over {data / 'queue'}.\n"
    assert stack.ready()
