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
def stack(engine: Engine) -> Iterator[Stack]:
    """The stack, every check of it green."""
    # Not among pytest's folders: another run that ends in this half hour removes those.
    with tempfile.TemporaryDirectory(dir=engine.folder) as folder:
        yield from _running(Stack(engine, Path(folder)))


def _running(made: Stack) -> Iterator[Stack]:
    try:
        made.up()
        load = os.getloadavg()[0]
        FIGURES.extend(
            f"{name} healthy after {s:.0f} s (load {load:.0f})" for name, s in sorted(made.healthy_s.items())
        )
        FIGURES.extend(f"{image}: {made.engine.size(image) >> 20} MB" for image in ("offload-web", "offload-worker"))
        yield made
    finally:
        for name in made.containers():
            print(name, made.logs(name)[-3000:], sep="\n")
        made.down()


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """Lines for the end of the run."""
    return FIGURES
