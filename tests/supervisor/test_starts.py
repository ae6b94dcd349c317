"""The start of each kind of process: it loads nothing that it does not need, and leaves the collector at work."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENTS = {
    "PIL", "cv2", "easyocr", "numpy", "openpyxl", "openvino", "pikepdf", "pillow_heif", "pypdfium2",
    "rapidocr", "rustpy_xlsxwriter", "tifffile", "torch", "typst", "zxingcpp",
}  # fmt: skip
"""What reads, draws and writes documents: it belongs into children."""

SELDOM = {"alembic", "apprise", "email_validator", "opentelemetry", "textual"}
"""What only some settings or commands need."""

WEB = {"authlib", "dashboard.app", "joserfc", "litestar", "markdown_it", "prometheus_client", "uvicorn"}

STARTS = {
    "a worker": ("import arq.cli, tasks.workers; tasks.workers.EmailSender", DOCUMENTS | SELDOM | WEB),
    "the web application": ("import uvicorn, dashboard.app", DOCUMENTS | SELDOM),
    "the list of commands": (
        "from service.cli.main import main; main(['--help'], standalone_mode=False)",
        DOCUMENTS | SELDOM | WEB | {"asyncio", "httpx", "pydantic", "redis", "rich", "settings", "sqlalchemy", "tasks"},
    ),
}


@pytest.mark.parametrize("process", STARTS)
def test_nothing_is_loaded_that_is_not_needed(process: str, settings_env: dict[str, str]) -> None:
    code, not_needed = STARTS[process]
    shown = f"{code}\nimport gc, sys; assert gc.isenabled(); print('loaded:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", shown], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.partition("loaded: ")[2].split())
    assert loaded
    assert loaded & not_needed == set()
