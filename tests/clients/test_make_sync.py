"""The synchronous client is what the asynchronous one makes it."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "clients" / "python" / "make_sync.py"


def test_the_synchronous_client_is_written_from_the_asynchronous_one() -> None:
    made = runpy.run_path(str(SCRIPT))
    assert made["synchronous"]() == made["TARGET"].read_text(), "run python clients/python/make_sync.py"
