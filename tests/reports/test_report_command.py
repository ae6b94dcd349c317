"""`offload report` against a running API and a real worker."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import structlog
from click.testing import CliRunner, Result

from service.cli.main import main
from tests.api.conftest import ACME, Served


async def offload(served: Served, *arguments: str) -> Result:
    """Run the command from a thread: the API answers in this process, and its log is not the command's output."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(
            CliRunner().invoke, main, ["report", *arguments, "--server", served.url, "--key", ACME]
        )


async def test_a_report_is_asked_for_followed_and_kept(
    served: Served, start_maker: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    start_maker()
    path = tmp_path / "jobs.pdf"
    made = await offload(served, "jobs", "--from", "2026-03-01", "--to", "2026-03-31", "-o", str(path))
    assert made.exit_code == 0, made.output
    assert made.stdout.endswith(f"{path}: 2 pages of 0 rows\n")
    assert path.read_bytes().startswith(b"%PDF-")


async def test_a_range_that_makes_no_sense_is_one_sentence(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "never.pdf"
    refused = await offload(served, "jobs", "--from", "2026-03-31", "--to", "2026-03-01", "-o", str(path))
    assert refused.exit_code == 1 and refused.stderr.startswith("Error: ") and not path.exists()
    unknown = await offload(served, "jobs", "--zone", "Mars/Olympus", "-o", str(path))
    assert unknown.exit_code == 1 and "Mars/Olympus" in unknown.stderr
