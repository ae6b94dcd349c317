"""The start of a child that looks into uploads: it loads nothing that it does not need."""

import subprocess
import sys
from pathlib import Path

NOT_NEEDED = {"settings.load", "pydantic", "structlog", "rich", "sqlalchemy", "redis", "httpx", "litestar"}

LOADED = "import sys; import service.engine.pool.child, service.documents.inspection; print(*sys.modules)"


def test_neither_settings_nor_logs_nor_servers_clients_are_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "service.documents.inspection" in loaded and not loaded & NOT_NEEDED
