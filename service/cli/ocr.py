"""`offload ocr FILE`: upload, follow, and give the text."""

import threading
from pathlib import Path

from rich.console import Console
from rich.text import Text

from service.cli.client import Api, CliError
from service.cli.follow import Follower, bar, follow


def read_text(api: Api, path: Path, priority: str, console: Console, stopped: threading.Event | None = None) -> str:
    """The text of a file, its progress shown on `console` until `stopped` is set.

    Raises CliError where the job does not complete or is not followed to its end.
    """
    with bar(console) as progress:
        follower = Follower(progress, console, path.name)
        stored = api.upload(path)
        accepted = api.start_ocr(stored["file_id"], priority)
        job_id = accepted["job_id"]
        progress.console.print(Text(f"{job_id}: {accepted['estimated_duration']}"), soft_wrap=True)
        try:
            ended = follow(api, job_id, follower, stopped or threading.Event())
        except KeyboardInterrupt:
            raise CliError(f"No longer following {job_id}; it goes on without us.") from None
    if ended["status"] != "completed":
        raise CliError(f"{job_id} has ended as {ended['status']}: {ended['error'] or 'no reason was given'}")
    return api.text(job_id)
