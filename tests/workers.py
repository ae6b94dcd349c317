"""Workers as real processes of the stock `arq` command, which a test starts and may therefore kill."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]

Start = Callable[..., "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def workers(settings_class: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Start]:
    """A function that starts `arq SETTINGS_CLASS` with `environment` and what it is given. What is left of them is ended, and
    the end of their logs printed, which pytest shows of a test that fails."""
    started: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(**more: str) -> "subprocess.Popen[bytes]":
        log = folder / f"{settings_class.rpartition('.')[2]}-{len(started)}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "arq", settings_class],
                cwd=ROOT,
                env=os.environ | {"OFFLOAD_LEASE_S": "2", **environment, **more},
                stdout=output,
                stderr=output,
            )
        started.append((process, log))
        return process

    try:
        yield start
    finally:
        for process, log in started:
            if process.poll() is None:
                # A frozen process would not receive anything but this pair.
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)
            print(log.name, log.read_text()[-4000:], sep="\n")
