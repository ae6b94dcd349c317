"""Plug-in of pytest: the fixture `offload_server`, a real Offload on free ports, once a session.

Its workers serve the queues of the ini option `offload_queues`, by default those that packages have added. Processes find
packages as this one does: by their entry points, and by OFFLOAD_JOBS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from offload.testing.server import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    words = "queues that the workers of the fixture offload_server serve; by default those that packages add"
    parser.addini("offload_queues", words, type="args", default=[])


@pytest.fixture(scope="session")
def offload_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Offload. Its data is gone with the session."""
    # Imported when first asked for: the plug-in is loaded in every session of an environment that has Offload.
    import tasks.sdk.discovery  # noqa: F401  # our own names are taken before packages are loaded
    from offload.testing.server import Server
    from settings.queues import OURS, Queue
    from tasks.sdk.packages import PROBLEMS, load_packages

    load_packages()
    if PROBLEMS:
        raise pytest.UsageError(" ".join(problem.sentence for problem in PROBLEMS))
    queues = request.config.getini("offload_queues") or [str(queue) for queue in Queue if queue not in OURS]
    with Server(tmp_path_factory.mktemp("offload"), queues) as server:
        yield server
