"""Writes src/offload_client/client.py from aio.py, which says the same with `async` and `await`.

Run it after a change of aio.py: `python clients/python/make_sync.py`. A test holds the two together.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

FOLDER = Path(__file__).parent / "src" / "offload_client"
SOURCE, TARGET = FOLDER / "aio.py", FOLDER / "client.py"

REPLACEMENTS = {
    "AsyncClient": "Client",
    "AsyncJob": "Job",
    "AsyncBaseTransport": "BaseTransport",
    "asyncio": "time",
    "aclose": "close",
    "send_async": "send",
    "aread": "read",
    "aiter_bytes": "iter_bytes",
    # Docstrings, as unasync sees them: without the outermost quotes.
    '""Asynchronous client. The synchronous one is written from it by make_sync.py.""': (
        '""Synchronous client. Written by make_sync.py from aio.py: change that, and run it.""'
    ),
}

USE = {
    "Use as an asynchronous context manager, or await `close`.": (
        "Use as a context manager, or call `close`. Safe for several threads."
    ),
}
"""Sentences within docstrings, of which unasync replaces only whole ones."""


def synchronous() -> str:
    """The text of the synchronous client, formatted as everything is."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, SOURCE.name), Path(folder, TARGET.name)
        shutil.copy(SOURCE, source)
        unasync.unasync_files([str(source)], [unasync.Rule(SOURCE.name, TARGET.name, REPLACEMENTS)])
        ruff = [sys.executable, "-m", "ruff"]
        text = made.read_text()
        for asynchronous, instead in USE.items():
            text = text.replace(asynchronous, instead)
        made.write_text(text)
        configuration = ["--config", str(Path(__file__).parents[2] / "pyproject.toml"), "--quiet"]
        subprocess.run(
            [*ruff, "check", "--fix", "--unsafe-fixes", "--select", "I,UP028", *configuration, made], check=True
        )
        subprocess.run([*ruff, "format", *configuration, made], check=True)
        return made.read_text()


if __name__ == "__main__":
    TARGET.write_text(synchronous())
