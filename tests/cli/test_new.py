"""`offload new package`: what it writes works as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.main import main

ROOT = Path(__file__).parents[2]


def new(folder: Path, name: str) -> str:
    return CliRunner().invoke(main, ["new", "package", name, "--into", str(folder)]).output


def test_its_tests_pass_and_its_job_runs_in_a_real_server(tmp_path: Path) -> None:
    assert "Written to" in new(tmp_path, "acme-words")
    package = tmp_path / "acme-words"
    assert (package / "Dockerfile").exists() and (package / "README.md").exists()
    environment = os.environ | {
        "PYTHONPATH": f"{package / 'src'}:{ROOT}",
        "OFFLOAD_JOBS": "acme_words",
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "offload.testing.plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    linted = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=package, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Acme Words", "Acme Words is not a name for a package"),
        ("../acme", "../acme is not a name for a package"),
        ("json", "There is a module json already"),
        ("thumbnails", "thumbnails is the name of a queue"),
        ("class", "There is a module class already"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, sentence: str) -> None:
    assert sentence in new(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "acme-words").mkdir()
    (tmp_path / "acme-words" / "mine.txt").touch()
    assert "exists already" in new(tmp_path, "acme-words")
