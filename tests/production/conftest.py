"""The mark, the table at the end, and an installation for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.production.harness import TABLE, Installation, table

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker("production")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.section("outages, deploys and clocks")
        for line in table():
            terminalreporter.write_line(line)


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Makes installations of which each process is ended with the test."""
    made: list[Installation] = []

    def new(**environment: str) -> Installation:
        made.append(Installation(tmp_path / f"installation-{len(made)}", environment))
        return made[-1]

    yield new
    for installation in made:
        installation.stop()
        for process in installation.processes:
            print(process.log.name, process.output[-6000:], sep="\n")
