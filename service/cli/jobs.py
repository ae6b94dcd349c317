"""`offload jobs` and `offload retry-failed`."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.client import Api, CliError

STYLES = {
    "completed": "green",
    "failed": "red",
    "active": "cyan",
    "retrying": "yellow",
    "cancelled": "dim",
    "expired": "dim",
}

COLUMNS = ("job", "status", "%", "created", "message")


def print_jobs(api: Api, console: Console, limit: int, **filters: str | None) -> None:
    """One line per job, newest first: a table in a terminal, and in a pipe or a file the same columns with tabs between."""
    jobs = list(api.jobs(limit, **filters))
    if not jobs:
        console.print("No such jobs.")
        return
    if not console.is_terminal:
        # Straight to the stream: rich folds and cuts what is wider than it thinks the terminal is.
        for line in ("\t".join(COLUMNS), *map(_line, jobs)):
            print(line, file=console.file)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    # Ids are what one copies: on a narrow terminal they fold, and nothing is cut but the message.
    table.add_column(COLUMNS[0], no_wrap=True, min_width=max(len(job["id"]) for job in jobs))
    for name in COLUMNS[1:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(COLUMNS[-1], overflow="ellipsis", no_wrap=True)
    for job in jobs:
        status = Text(job["status"], style=STYLES.get(job["status"], ""))
        # Text, not str: a message may hold square brackets, which are markup to rich.
        message = Text(job["error"] or job["message"] or "", overflow="ellipsis", no_wrap=True)
        table.add_row(Text(job["id"]), status, str(job["progress"]), _local(job["created_at"]), message)
    console.print(table)


def _line(job: dict[str, Any]) -> str:
    """Id, status, per cent, creation in UTC and message; blanks in place of tabs and line ends within."""
    message = " ".join((job["error"] or job["message"] or "").split())
    return "\t".join((job["id"], job["status"], str(job["progress"]), job["created_at"], message))


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
