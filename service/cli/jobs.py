"""`offload jobs`, `retry-failed` and `cancel`: lists of jobs, and what is done to them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from service.cli.client import Api, CliError
from service.cli.options import dry_run_option, limit_option, on_server, queue_option, since_option, type_option
from service.cli.tables import print_rows

STATUSES = ("queued", "scheduled", "active", "retrying", "completed", "failed", "cancelled", "expired")

LIVE = ("queued", "scheduled", "retrying", "active")
"""Statuses that a job can be cancelled in."""

COLUMNS = ("job", "status", "%", "created", "message")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query", metavar="[FILTER]...", nargs=-1)
@queue_option
@type_option
@click.option("--status", type=click.Choice(STATUSES), help="Only this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@click.option("--cursor", metavar="CURSOR", help="Go on from where a search ended.")
@on_server
def jobs(
    api: Api,
    query: tuple[str, ...],
    queue: str | None,
    job_type: str | None,
    status: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """List jobs that fit FILTER, newest first. Quote it: a shell takes > and quotes for its own.

    Keys, ranges and texts are those of the dashboard's filter (docs/finding-jobs.md); -key:value is not, a comma means or.

    Example: offload jobs 'state:failed created:>2h error:"disk is full" -queue:csv-export'
    """
    found = api.find(_query(query), limit, cursor, queue=queue, type=job_type, status=status)
    print_jobs(found.jobs, Console())
    if found.cursor:
        click.echo(f"{found.note or 'There are more.'} offload jobs … --cursor {found.cursor}", err=True)


@click.command("retry-failed", context_settings={"ignore_unknown_options": True})
@click.argument("query", metavar="[FILTER]...", nargs=-1)
@queue_option
@type_option
@since_option
@click.option("--error", metavar="TEXT", help="Only jobs whose error has this in it, in capitals or not.")
@limit_option
@dry_run_option
@on_server
def retry_failed(
    api: Api,
    query: tuple[str, ...],
    queue: str | None,
    job_type: str | None,
    since: datetime | None,
    error: str | None,
    limit: int,
    dry_run: bool,
) -> None:
    """Queue failed jobs again that fit FILTER, oldest first. `--since` goes by when they failed.

    FILTER is that of `offload jobs` and of the dashboard (docs/finding-jobs.md), in quotes.

    Example: offload retry-failed 'queue:csv-export finished:>2h error:"out of reach"' --dry-run
    """
    found = api.jobs(None, q=_query(query), queue=queue, type=job_type, status="failed")
    chosen = _first(found, limit, lambda job: _fits(job, since, error))
    if dry_run:
        print_jobs(chosen, Console())
        click.echo(f"{len(chosen)} failed jobs would be queued again.")
    elif _each(chosen, api.retry, "failed jobs queued again"):
        raise click.ClickException("Some could not be queued again.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[JOB|FILTER]...", nargs=-1)
@queue_option
@type_option
@click.option("--status", type=click.Choice(LIVE), help="Only this status, instead of all that can be cancelled.")
@limit_option
@dry_run_option
@on_server
def cancel(
    api: Api,
    words: tuple[str, ...],
    queue: str | None,
    job_type: str | None,
    status: str | None,
    limit: int,
    dry_run: bool,
) -> None:
    """Stop JOBs, or every job that fits FILTER, a queue or a type and has not ended. A running one ends once its worker has
    stopped it. FILTER is that of `offload jobs` and of the dashboard (docs/finding-jobs.md), in quotes.

    Example: offload cancel 'task:video-transcode created:>1d' --status queued --dry-run
    """
    # No job's id has a colon, and each condition has one.
    query = _query(words) if any(":" in word for word in words) else ""
    job_ids = () if query else tuple(word for word in words if word.strip())
    if bool(job_ids) == bool(query or queue or job_type):
        raise click.UsageError("Name jobs, or else a filter, a --queue or a --type.")
    if job_ids:
        chosen = [api.status(job_id) for job_id in dict.fromkeys(job_ids)]
    else:
        filters = {"q": query, "queue": queue, "type": job_type}
        states = [status] if status else LIVE
        chosen = [job for one in states for job in _first(api.jobs(None, status=one, **filters), limit)][:limit]
    if dry_run:
        print_jobs(chosen, Console())
        click.echo(f"{len(chosen)} jobs would be cancelled.")
    elif _each(chosen, api.cancel, "jobs cancelled, or told to stop"):
        raise click.ClickException("Some could not be cancelled.")


def _query(words: Sequence[str]) -> str:
    """The filter that the words make. Raises UsageError for an option that there is not: click lets all unknown ones through,
    since conditions may begin with a dash."""
    if wrong := next((word for word in words if word.startswith("--")), None):
        raise click.NoSuchOption(wrong)
    return " ".join(words).strip()


def print_jobs(found: Sequence[dict[str, Any]], console: Console) -> None:
    """One line per job, in the given order. A pipe gets times in UTC, a terminal in this machine's zone."""
    shown = _local if console.is_terminal else str
    rows = [
        (job["id"], job["status"], str(job["progress"]), shown(job["created_at"]), job["error"] or job["message"] or "")
        for job in found
    ]
    print_rows(console, COLUMNS, rows, "No such jobs.")


def _first(found: Any, limit: int, fits: Callable[[dict[str, Any]], bool] = lambda job: True) -> list[dict[str, Any]]:
    """The first `limit` jobs that fit: what does not fit does not count."""
    chosen: list[dict[str, Any]] = []
    for job in found:
        if fits(job):
            chosen.append(job)
            if len(chosen) == limit:
                break
    return chosen


def _fits(job: dict[str, Any], since: datetime | None, error: str | None) -> bool:
    if since and datetime.fromisoformat(job["finished_at"] or job["created_at"]) < since:
        return False
    return not error or error.casefold() in (job["error"] or "").casefold()


def _each(chosen: Sequence[dict[str, Any]], act: Callable[[str], None], done: str) -> int:
    """Act on each, oldest first; returns how many were refused."""
    console, refused = Console(), 0
    for job in reversed(chosen):
        try:
            act(job["id"])
        except CliError as error:
            refused += 1
            console.print(Text(f"{job['id']}: {error}"), soft_wrap=True)
    click.echo(f"{len(chosen) - refused} of {len(chosen)} {done}.")
    return refused


def _local(moment: str) -> str:
    """RFC 3339 time in this machine's zone, to the second."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
