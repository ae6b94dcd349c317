"""The API in a process of its own, so that its memory and its manners can be measured from outside."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.prepared import started
from tests.waiting import wait_until


@dataclass
class Apart:
    url: str
    pid: int


@contextmanager
def apart(environment: dict[str, str], log: Path, app: str = "tests.api.app:create_app") -> Iterator[Apart]:
    """A running server on a free port of the loopback, ended at the end."""
    with log.open("wb") as output:
        server = started("uvicorn", ["--factory", app, "--port", "0"], os.environ | environment, output)
    try:
        address = wait_until(
            lambda: re.search(r"running on (http://\S+:\d+)", log.read_text()) or server.poll() is not None
        )
        assert isinstance(address, re.Match), log.read_text()
        yield Apart(address[1], server.pid)
    finally:
        server.terminate()
        server.wait()
