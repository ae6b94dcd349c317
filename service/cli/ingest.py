"""`offload ingest DIR`: takes a folder of files in. What was interrupted goes on where it was when it is run again."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

import click

from service.cli.client import Api, CliError, Denied, Unavailable
from service.cli.intake import NOTHING, files_below, reason_against, take_in
from service.cli.options import on_server

T = TypeVar("T")

WAITS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds before each further try of a file while the server is away: a restart passes, and an hour's outage ends the run."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--job", default="pdf-ocr", show_default=True, metavar="TYPE", help=f"Job for each file; {NOTHING}: only store it."
)
@click.option("--pattern", multiple=True, metavar="GLOB", help="Only files of such names, as '*.pdf'; repeat.")
@click.option("--priority", type=click.Choice(["high", "normal", "low"]), default="low", show_default=True)
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Files at the same time.")
@click.option("--again", is_flag=True, help="Read once more what was read already.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@on_server
def ingest(
    api: Api,
    folder: Path,
    job: str,
    pattern: tuple[str, ...],
    priority: str,
    parallel: int,
    again: bool,
    dry_run: bool,
) -> None:
    """Take in every document below FOLDER: PDFs, images and videos, by their content.

    A file whose bytes are stored already is not sent, and one that was read already is not read again: run it as often
    as you like, after an interruption too. Exit code 1 where a file was not taken.

    Example: offload ingest /archive/2026 --pattern '*.pdf' --dry-run
    """
    chosen = [path for path in files_below(folder) if not pattern or any(fnmatch(path.name, one) for one in pattern)]
    ended: Counter[str] = Counter()
    stopped = threading.Event()

    def one(path: Path) -> tuple[str, str]:
        if stopped.is_set():
            return "", ""
        try:
            reason = reason_against(path)
            if reason or dry_run:
                return ("skipped", reason) if reason else ("would be sent", "")
            done = patiently(lambda: take_in(api, path, job=job, priority=priority, again=again), stopped)
            return done.outcome, done.job_id or done.file_id
        except Denied as error:
            return "refused", str(error)
        except OSError as error:
            return "refused", f"It cannot be read: {error.strerror}."

    with ThreadPoolExecutor(parallel) as threads:
        try:
            for path, (outcome, words) in zip(chosen, threads.map(one, chosen), strict=True):
                ended[outcome] += 1
                click.echo(f"{outcome}\t{path.relative_to(folder)}\t{words}")
        except (CliError, KeyboardInterrupt) as error:
            stopped.set()
            if isinstance(error, CliError):
                more = " Run it again to go on." if isinstance(error, Unavailable) else ""
                raise CliError(f"{error}{more}") from None
            raise CliError("Interrupted: run it again to go on.") from None
    _sum_up(chosen, ended)


def patiently(call: Callable[[], T], stopped: threading.Event, waits_s: Sequence[float] = WAITS_S) -> T:
    """The result of a call, repeated while the server is away. Raises Unavailable after as many tries as there are waits."""
    for wait_s in waits_s:
        try:
            return call()
        except Unavailable:
            if stopped.wait(wait_s):
                raise
    return call()


def _sum_up(chosen: Sequence[Path], ended: Counter[str]) -> None:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(ended.items()))
    click.echo(f"{len(chosen)} files: {counts or 'nothing to take in'}.", err=True)
    if ended["refused"]:
        raise SystemExit(1)
