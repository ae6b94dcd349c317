"""Options that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from service.cli.client import CliError, open_api
from service.cli.queue_name import QueueName
from settings import load_settings

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Seconds of each unit of an age."""


def on_server(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its first argument `api`, and options to choose server and key; say errors in one sentence."""

    @click.option("--server", metavar="URL", help="Server to use; by default the one of this installation.")
    @click.option("--key", metavar="SECRET", help="API key; by default this installation's first.")
    @wraps(command)
    def with_api(server: str | None, key: str | None, **options: Any) -> None:
        try:
            with open_api(load_settings(), server, key) as api:
                command(api, **options)
        except CliError as error:
            raise click.ClickException(str(error)) from None

    return with_api


class Since(click.ParamType):
    """A moment: an age such as 30m, 2h or 7d, or an RFC 3339 time."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC. Fails with the forms that there are."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if text[-1:] in UNITS and text[:-1].isdigit():
                return datetime.now(UTC) - timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])
            moment = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            self.fail(
                f"{text!r} is neither an age such as 30m, 2h or 7d nor a time such as 2026-01-31T08:00Z.", param, ctx
            )
        # Without an offset it is the time on this machine's clock.
        return moment.astimezone(UTC)


queue_option = click.option("--queue", type=QueueName(), help="Only this queue.")
type_option = click.option("--type", "job_type", metavar="TYPE", help="Only this job type, such as pdf-ocr.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Print the jobs, and change nothing.")
since_option = click.option("--since", type=Since(), metavar="WHEN", help="An age such as 2h, or a time: not older.")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True, help="How many at most."
)
