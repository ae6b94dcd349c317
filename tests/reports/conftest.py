"""The web application and its workers, as the tests of mail use them, and a worker that makes reports."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mail.conftest import ROOT, acme, app, globex, served, start_worker

__all__ = ["acme", "app", "globex", "served", "start_worker"]


@pytest.fixture
def start_maker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `arq tasks.workers.CsvExport`; ends what is left of it."""
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "maker.log"

    def start(**environment: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "arq", "tasks.workers.CsvExport"],
                cwd=ROOT,
                env=os.environ | settings_env | {"OFFLOAD_LEASE_S": "2"} | environment,
                stdout=output,
                stderr=output,
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if worker.poll() is None:
            worker.kill()
            worker.wait(10)
    print(log.read_text()[-4000:] if log.exists() else "")
