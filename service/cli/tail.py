"""`offload tail JOB`: a job's log and progress as they come, until it ends."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from service.cli.client import TERMINAL, Api, CliError
from service.cli.options import on_server

POLL_S = 0.5
"""Between two looks: the worker sends lines twice a second."""

RETRY_FOR_S = 60.0
"""Seconds for which a server may be away: a deploy takes less, and the job goes on in the meantime."""


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option("--no-follow", is_flag=True, help="Print what there is, and end.")
@on_server
def tail(api: Api, job_id: str, no_follow: bool) -> None:
    """Print the log and the progress of JOB as they come, until it ends. Example: offload tail pdf-ocr-0123456789abcdef

    Lines of the log go to standard output, progress to standard error. The exit code is 1 where the job failed, was
    cancelled or expired.
    """
    shown: list[dict[str, Any]] = []
    progress, answered = "", time.monotonic()
    while True:
        try:
            # In this order: what was logged before the end is in the log that is read after it.
            status, lines = api.status(job_id), api.log(job_id)
        except CliError:
            if not progress or time.monotonic() - answered > RETRY_FOR_S:
                raise
            time.sleep(POLL_S)
            continue
        answered = time.monotonic()
        for line in unseen(shown, lines):
            click.echo(as_text(line))
        shown = lines
        now = f"{status['progress']:>3} %  {status['status']}  {status['message'] or ''}".rstrip()
        if now != progress:
            click.echo(now, err=True)
        progress = now
        ended = status["status"] in TERMINAL
        if ended and status["error"]:
            click.echo(status["error"], err=True)
        if ended or no_follow:
            sys.exit(0 if status["status"] == "completed" or not ended else 1)
        time.sleep(POLL_S)


def unseen(shown: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Lines behind those that were shown: the log grows at its end, and drops its oldest lines."""
    for at in range(len(shown)):
        overlap = shown[at:]
        if list(lines[: len(overlap)]) == list(overlap):
            return lines[len(overlap) :]
    return lines


def as_text(line: dict[str, Any]) -> str:
    """`12:01:07 warning  the event  key=value …`, the time in this machine's zone, longer fields on lines of their own."""
    clock = datetime.fromisoformat(line["at"]).astimezone().strftime("%H:%M:%S")
    short = {name: value for name, value in line["fields"].items() if "\n" not in value}
    words = [clock, f"{line['level']:<7}", line["event"], *(f"{name}={value}" for name, value in short.items())]
    return "\n".join([" ".join(words), *(value for value in line["fields"].values() if "\n" in value)])
