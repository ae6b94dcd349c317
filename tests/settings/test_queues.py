"""A queue that is added as docs/adding-a-job.md says has its worker, and one that is half added is refused by name."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(settings: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Python with a changed settings/, over the rest of the code."""
    environment = os.environ | {
        "PYTHONPATH": f"{settings}:{ROOT}",
        "OFFLOAD_DATA_DIR": str(settings / "data"),
        "OFFLOAD_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings, capture_output=True, text=True, timeout=120
    )


def changed(tmp_path: Path, *, bounded: bool) -> Path:
    """A copy of settings/ with the queue that the documents add."""
    page = (ROOT / "docs" / "adding-a-job.md").read_text(encoding="utf-8").partition("A new *queue*")[2]
    member, row = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shutil.copytree(ROOT / "settings", tmp_path / "settings")
    file = tmp_path / "settings" / "queues.py"
    text = file.read_text(encoding="utf-8").replace(
        '    THUMBNAILS = "thumbnails"\n', f'    THUMBNAILS = "thumbnails"\n{member}'
    )
    if bounded:
        text = text.replace("    Queue.THUMBNAILS: QueueSettings(", f"{row}    Queue.THUMBNAILS: QueueSettings(")
    file.write_text(text, encoding="utf-8")
    return tmp_path


def test_an_added_queue_has_a_worker_that_offload_up_starts_and_arq_reads(tmp_path: Path) -> None:
    code = """
import arq.worker
from arq.utils import import_string
from service.supervisor.stack import worker_classes
path = worker_classes()["nightly-sums"]
given = arq.worker.get_kwargs(import_string(path))
print(path, given["queue_name"], given["max_jobs"], given["job_timeout"], sorted(worker_classes()))
"""
    done = run(changed(tmp_path, bounded=True), code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:4] == ["tasks.workers.NightlySums", "nightly-sums", "2", "600.0"]
    assert "pdf-processing" in done.stdout


def test_a_queue_without_bounds_is_refused_by_name(tmp_path: Path) -> None:
    done = run(changed(tmp_path, bounded=False), "from settings import load_settings; load_settings()")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "settings/queues.py: the queue nightly-sums has no row in QUEUE_TABLE, so there is no worker class NightlySums for it."
    )


def test_a_worker_of_no_queue_is_told_which_there_are(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "settings", tmp_path / "settings")
    done = run(tmp_path, "import tasks.workers; tasks.workers.PdfProcesing")
    assert "workers are PdfProcessing, EmailSender, CsvExport, Thumbnails" in done.stderr
