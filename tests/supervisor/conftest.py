"""A running stack for the tests of the command line."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.supervisor.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def signals_are_received() -> Iterator[None]:
    """Tests that run under nohup or in the background ignore these, and all that they start would inherit that."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    ignored = [number for number, handler in before.items() if handler is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of a module, ready."""
    running = Stack(tmp_path_factory.mktemp("stack")).wait_ready()
    yield running
    running.process.terminate()
    assert running.process.wait(60) == 0, running.log


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Start a stack of the test's own; whatever is left of it is killed at the end."""
    started: list[Stack] = []

    def start_one(name: str = "stack", **environment: str) -> Stack:
        started.append(Stack(tmp_path / name, **environment))
        return started[-1]

    yield start_one
    for running in started:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
