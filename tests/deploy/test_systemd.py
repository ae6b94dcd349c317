"""The units, as systemd reads them."""

import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from settings import Settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"


def unit(name: str) -> RawConfigParser:
    """The first value of each key: those that stand several times are not asked for."""
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep capitals
    parser.read(UNITS / name)
    return parser


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
def test_systemd_understands_each_unit(tmp_path: Path) -> None:
    for file in UNITS.iterdir():
        # The program stands where a deployment puts it; here any that exists will do.
        text = file.read_text().replace("/opt/offload/.venv/bin/uvicorn", "/bin/true")
        (tmp_path / file.name).write_text(text.replace("/opt/offload/.venv/bin/offload", "/bin/true"))
    named = [str(file) for file in sorted(tmp_path.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", *named], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stderr, done.stderr


def test_a_worker_has_longer_than_its_grace() -> None:
    worker = unit("offload-worker@.service")["Service"]
    assert int(worker["TimeoutStopSec"]) > Settings.model_fields["grace_s"].default
    assert worker["KillMode"] == "mixed"


@pytest.mark.parametrize("name", ["offload-web.service", "offload-worker@.service"])
def test_a_child_killed_for_memory_does_not_stop_its_unit(name: str) -> None:
    assert unit(name)["Service"]["OOMPolicy"] == "continue"


def test_all_are_started_again_and_stopped_with_the_target() -> None:
    for name in ("offload-web.service", "offload-worker@.service"):
        assert unit(name)["Service"]["Restart"] == "always"
        assert unit(name)["Unit"]["PartOf"] == unit(name)["Install"]["WantedBy"] == "offload.target"
