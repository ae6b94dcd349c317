"""What the README says is so: its commands run as written, its table lists every setting."""

import os
import re
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path

import httpx
import psutil
import pytest

from settings import Settings
from settings.load import PREFIX
from settings.validation_messages import takes, variables
from tests.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The README's text under a heading."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_command(title: str) -> str:
    """The first shell block under a heading."""
    found = re.search(r"```sh\n(.*?)```", section(title), re.DOTALL)
    assert found is not None
    return found.group(1).strip()


@pytest.mark.chaos
@pytest.mark.slow
def test_the_quick_start_as_written(tmp_path: Path):
    """Run it, wait until it is ready, end its process group as a terminal would, and look for survivors."""
    command = first_command("Quick start")
    assert command == "make run"
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = os.environ | {
        "OFFLOAD_DATA_DIR": str(tmp_path / "data"),
        "OFFLOAD_PORT": str(port),
        "SAMPLE": "0",
        # The packages these tests run on, so that nothing is installed twice.
        "VENV": sys.prefix,
    }
    log = (tmp_path / "log").open("wb")
    with subprocess.Popen(
        ["bash", "-c", command], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
    ) as run:
        wait_until(lambda: run.poll() is not None or answers(url), limit_s=300)
        message = (tmp_path / "log").read_text()
        assert run.poll() is None, message
        family = psutil.Process(run.pid).children(recursive=True)
        assert {"valkey-server"} <= {process.name() for process in family}
        wait_until(lambda: "Stop       Ctrl-C" in (tmp_path / "log").read_text())
        os.killpg(run.pid, signal.SIGTERM)
    message = (tmp_path / "log").read_text()
    assert f"{url}/admin/queues" in message and "admin / " in message and "Authorization: Bearer " in message
    assert [process for process in family if process.is_running()] == []
    assert not (tmp_path / "data" / "redis.url").exists()


def answers(url: str) -> bool:
    """Whether the web application says that all it needs is ready."""
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def test_the_table_lists_every_setting_and_what_it_takes():
    rows = dict(re.findall(r"^\| `(OFFLOAD_\w+)` \| .* \| (.*) \|$", section("Configuration"), re.MULTILINE))
    assert {name: unescape(text) for name, text in rows.items()} == {
        name: takes(field) for name, field in variables(Settings, PREFIX).items()
    }


@pytest.mark.parametrize("target", re.findall(r"make (\w+)", README))
def test_every_target_it_names_exists(target: str):
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_file_it_links_to_exists(link: str):
    assert (ROOT / link).exists()
