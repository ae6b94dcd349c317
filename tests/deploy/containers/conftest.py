"""The images, one stack for all tests of this folder, and its figures at the end."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.containers.images import Engine, make_images
from tests.deploy.containers.stack import Stack

FIGURES: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("containers")
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Podman with all images of compose.yml; those of the last run are built on."""
    made = Engine(Path(tempfile.gettempdir(), f"offload-containers-{os.getuid()}"))
    make_images(made)
    return made


@pytest.fixture(scope="session")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, every check of it green."""
    made = Stack(engine, tmp_path_factory.mktemp("compose"))
    try:
        made.up()
        yield made
    finally:
        for name in made.containers():
            print(name, made.logs(name)[-3000:], sep="\n")
        made.down()


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """Lines for the end of the run."""
    return FIGURES
