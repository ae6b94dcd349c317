"""`offload report`: ask for a report, follow it, and keep the PDF."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from service.cli.client import Api, CliError
from service.cli.follow import Follower, bar, follow
from service.cli.options import on_server

REPORTS = ("activity", "usage", "deliveries", "jobs")


@click.command()
@click.argument("kind", metavar="REPORT", type=click.Choice(REPORTS))
@click.option("--from", "first", metavar="DAY", help="First day or moment, such as 2026-03-01; by default 30 days ago.")
@click.option("--to", "last", metavar="DAY", help="Last day, or the moment that is left out; by default today.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the days, such as Europe/Paris.")
@click.option("--mail", "recipients", multiple=True, metavar="ADDRESS", help="Mail it there; repeat.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("report.pdf"),
    show_default=True,
    help="File for the PDF.",
)
@on_server
def report(
    api: Api, kind: str, first: str | None, last: str | None, zone: str, recipients: tuple[str, ...], output: Path
) -> None:
    """Make a report of a range as a PDF: activity, usage, deliveries or jobs.

    Example: offload report jobs --from 2026-03-01 --to 2026-03-31 -o march.pdf
    """
    today = datetime.now(UTC).date()
    payload: dict[str, Any] = {
        "report": kind,
        "from": first or str(today - timedelta(days=30)),
        "to": last or str(today),
        "zone": zone,
        "recipients": list(recipients),
    }
    console = Console(stderr=True)
    with bar(console) as progress:
        follower = Follower(progress, console, kind)
        accepted = api.submit("report-pdf", payload)
        job_id = accepted["job_id"]
        progress.console.print(Text(f"{job_id}: {accepted['estimated_duration']}"), soft_wrap=True)
        try:
            ended = follow(api, job_id, follower, threading.Event())
        except KeyboardInterrupt:
            raise CliError(f"No longer following {job_id}; it goes on without us.") from None
    if ended["status"] != "completed":
        raise CliError(f"{job_id} has ended as {ended['status']}: {ended['error'] or 'no reason is recorded'}")
    try:
        output.write_bytes(api.file(job_id, "report.pdf"))
    except OSError as error:
        raise CliError(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"{output}: {ended['result']['pages']} pages of {ended['result']['rows']} rows")
