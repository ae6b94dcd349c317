"""`offload workers`: who works, on what machine, and on how much."""

import click
from rich.console import Console

from service.cli.client import Api
from service.cli.options import on_server, queue_option
from service.cli.tables import print_rows

COLUMNS = (
    "worker",
    "queue",
    "host",
    "pid",
    "running",
    "done",
    "failed",
    "memory",
    "heard",
    "version",
    "sandbox",
    "fault",
)


@click.command()
@queue_option
@on_server
def workers(api: Api, queue: str | None) -> None:
    """List workers with what they do. Example: offload workers --queue pdf-processing

    The exit code is 1 where the server says that not all is well with them.
    """
    health = api.workers()
    rows = [
        (
            one["id"],
            one["queue"],
            one["host"],
            str(one["pid"]),
            str(one["active"]),
            str(one["processed"]),
            str(one["failed"]),
            f"{one['rss_bytes'] >> 20} MB",
            f"{one['heartbeat_age_seconds']:.0f} s ago",
            one["version"],
            one["sandbox"],
            one["fault"] or "",
        )
        for one in health["workers"]
        if queue in (None, one["queue"])
    ]
    print_rows(Console(), COLUMNS, rows, "No workers.")
    if health["status"] != "ok":
        raise click.ClickException(health["detail"] or f"The workers are {health['status']}.")
