"""Workers as real processes of the stock `arq` command, which a test starts and may therefore kill."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.prepared import ROOT, Process, started

__all__ = ["ROOT", "Start", "workers"]

Start = Callable[..., Process]


@contextlib.contextmanager
def workers(settings_class: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Start]:
    """A function that starts `arq SETTINGS_CLASS` with `environment` and what it is given. What is left of them is ended, and
    the end of their logs printed, which pytest shows of a test that fails."""
    running: list[tuple[Process, Path]] = []

    def start(**more: str) -> Process:
        log = folder / f"{settings_class.rpartition('.')[2]}-{len(running)}.log"
        with log.open("ab") as output:
            process = started(
                "arq", [settings_class], os.environ | {"OFFLOAD_LEASE_S": "2", **environment, **more}, output
            )
        running.append((process, log))
        return process

    try:
        yield start
    finally:
        for process, log in running:
            if process.poll() is None:
                # A frozen process would not receive anything but this pair.
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)
            print(log.name, log.read_text()[-4000:], sep="\n")
