"""Follow a job with a progress bar: in a terminal one that moves, elsewhere a line for each change."""

import threading
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from service.cli.client import TERMINAL, Api, CliError

POLL_S = 0.2
"""Between two looks: five a second look alive, and cost the server about a millisecond each."""

RETRY_FOR_S = 60.0
"""Seconds for which a server may be away while we follow: a deploy takes less, and the job goes on in the meantime."""


def bar(console: Console) -> Progress:
    """The progress bar of one job, to be used as a context manager."""
    return Progress(
        TextColumn("{task.fields[name]}", style="bold"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        disable=not console.is_terminal,
    )


class Follower:
    """Shows one job's status objects as they come."""

    def __init__(self, progress: Progress, console: Console, name: str) -> None:
        self._progress = progress
        self._console = console
        self._name = name
        self._line = ""
        self._task = progress.add_task("uploading", name=name, total=100)

    def show(self, status: dict[str, Any]) -> None:
        """Move the bar; where there is no terminal, print a line if it has changed."""
        message = status["message"] or status["status"]
        self._progress.update(self._task, completed=status["progress"], description=message)
        line = f"{self._name}  {status['progress']:>3} %  {message}"
        if not self._console.is_terminal and line != self._line:
            self._console.print(Text(line), soft_wrap=True)
        self._line = line


def follow(api: Api, job_id: str, follower: Follower, stopped: threading.Event) -> dict[str, Any]:
    """Show a job until it ends; returns its last status object. A server that is away for a while is waited for.

    Raises CliError when the server stays away, and when another thread sets `stopped`.
    """
    received_s = time.monotonic()
    while not stopped.is_set():
        try:
            status = api.status(job_id)
        except CliError:
            if time.monotonic() - received_s > RETRY_FOR_S:
                raise
            stopped.wait(POLL_S)
            continue
        received_s = time.monotonic()
        follower.show(status)
        if status["status"] in TERMINAL:
            return status
        stopped.wait(POLL_S)
    raise CliError(f"No longer following {job_id}; it goes on without us.")
