"""The web application and its workers, as the tests of mail use them, and a worker that makes reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mail.conftest import acme, app, globex, served, start_worker
from tests.workers import Start, workers

__all__ = ["acme", "app", "globex", "served", "start_worker"]


@pytest.fixture
def start_maker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts workers that make reports; ends what is left of them."""
    with workers("tasks.workers.CsvExport", tmp_path, settings_env) as start:
        yield start
