"""Commands for the installation as a whole: to start it, to see it work, to save it and to bring it back."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from service.cli.client import Api
from service.cli.health import check_health
from service.cli.ocr import read_text
from service.cli.options import on_server
from service.lib.parent_death import die_with_parent
from service.supervisor.backup import BackupError, back_up
from service.supervisor.restore import restore as restore_from
from settings import Settings, load_settings
from tasks.sdk.packages import PROBLEMS


@click.command()
@click.option(
    "--sample",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="When all is up, show this file going through OCR.",
)
@click.option("--with-parent", is_flag=True, help="Stop when the process that started this one ends.")
def up(sample: Path | None, with_parent: bool) -> None:
    """Start everything here: queue server, mail catcher, web application, one worker a queue. Example: offload up"""
    from service.cli.log_lines import Terminal
    from service.cli.up import run_stack

    if with_parent:
        die_with_parent(signal.SIGTERM)
    for problem in PROBLEMS:
        click.echo(f"Left out: {problem.sentence}", err=True)
    sys.exit(asyncio.run(run_stack(load_settings(), Terminal(), sample)))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="File for the text."
)
@click.option("--priority", type=click.Choice(["high", "normal", "low"]), default="normal", show_default=True)
@on_server
def ocr(api: Api, file: Path, output: Path | None, priority: str) -> None:
    """Read the text of FILE, a PDF or an image. Example: offload ocr samples/scan.pdf -o scan.txt

    The text goes to standard output, the progress bar to standard error.
    """
    text = read_text(api, file, priority, Console(stderr=True))
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option("--server", metavar="URL", help="Server to ask; by default the one of this installation.")
def health(as_json: bool, server: str | None) -> None:
    """Say whether all is well: exit code 0 if so, 1 where it is degraded, 2 where it is down.

    Example: offload health --json
    """
    code, text = check_health(load_settings(), server, as_json=as_json)
    click.echo(text)
    sys.exit(code)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Copy queue, database, files and generated credentials into FOLDER, which must be new. Offload may run in the meantime.

    Example: offload backup /backups/monday
    """
    _in_sentences(back_up, folder)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put the backup in FOLDER in the place of what is here, which is kept aside. Offload must not run.

    Example: offload restore /backups/monday
    """
    _in_sentences(restore_from, folder)


def _in_sentences(work: Callable[[Settings, Path], list[str]], folder: Path) -> None:
    try:
        for sentence in work(load_settings(), folder.absolute()):
            click.echo(sentence)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror or error}.") from None


@click.command()
@click.option("--users", type=click.IntRange(0, 1_000_000), default=100, show_default=True)
@click.option("--events", type=click.IntRange(0, 10_000_000), default=1000, show_default=True)
def seed(users: int, events: int) -> None:
    """Put demonstration rows into the database: the same ones on every machine, none twice.

    Example: offload seed --users 100 --events 1000
    """
    added_users, added_events = asyncio.run(_seed(load_settings(), users, events))
    click.echo(f"{added_users} users and {added_events} events added.")


async def _seed(settings: Settings, users: int, events: int) -> tuple[int, int]:
    # Imported here: loading SQLAlchemy takes longer than all that the other commands here do.
    from service.database.connection import open_database
    from service.database.seed import seed as seed_rows

    async with open_database(settings.database_url) as database:
        return await seed_rows(database, users=users, events=events)
