"""`offload jobs` and `offload retry-failed`."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.client import Api, CliError

STYLES = {"completed": "green", "failed": "red", "active": "cyan", "retrying": "yellow", "cancelled": "dim"}


def print_jobs(api: Api, console: Console, limit: int, **filters: str | None) -> None:
    """One line a job, newest first."""
    table = Table("job", "status", "%", "created", "message", box=None, header_style="bold", pad_edge=False)
    for job in api.jobs(limit, **filters):
        status = Text(job["status"], style=STYLES.get(job["status"], ""))
        # Text, not str: a message may hold square brackets, which are markup to rich.
        said = Text(job["error"] or job["message"] or "", overflow="ellipsis", no_wrap=True)
        table.add_row(Text(job["id"], no_wrap=True), status, str(job["progress"]), _local(job["created_at"]), said)
    if table.row_count:
        console.print(table)
    else:
        console.print("No such jobs.")


def retry_failed(api: Api, console: Console, limit: int, **filters: str | None) -> int:
    """Queue failed jobs again, oldest first; returns how many could not be."""
    failed: list[dict[str, Any]] = list(api.jobs(limit, status="failed", **filters))
    refused = 0
    for job in reversed(failed):
        try:
            api.retry(job["id"])
        except CliError as error:
            refused += 1
            console.print(Text(f"{job['id']}: {error}"), soft_wrap=True)
    console.print(f"{len(failed) - refused} of {len(failed)} failed jobs queued again.")
    return refused


def _local(moment: str) -> str:
    """RFC 3339 time in this machine's zone, to the second."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
