"""The table at the end, and an installation for each test."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import TABLE, Installation, table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.section("outages, deploys and clocks")
        for line in table():
            terminalreporter.write_line(line)


@pytest.fixture
def queue_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """The embedded queue server, of the test's own."""
    with EmbeddedValkey(tmp_path / "queue") as server:
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 70 MB, which only root can mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=70m", "offload-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


SERVERS = ("queue_server", "redis_server", "watched", "postgres", "bucket", "wire")


@pytest.fixture
def install(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Makes installations of which each process is ended with the test, and before the servers that it works with."""
    for name in SERVERS:
        if name in request.fixturenames:
            request.getfixturevalue(name)
    made: list[Installation] = []

    def new(**environment: str) -> Installation:
        made.append(Installation(tmp_path / f"installation-{len(made)}", environment))
        return made[-1]

    yield new
    for installation in made:
        installation.stop()
        for process in installation.processes:
            print(process.log.name, process.output[-6000:], sep="\n")
