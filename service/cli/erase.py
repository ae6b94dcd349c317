"""`offload erase`: an owner or a person goes, over every store of this installation, and a signed list says what it was."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from service.cli.away import away_sentence
from service.database import Database
from service.database.connection import open_database
from service.engine.redis.client import Client
from service.engine.redis.places import open_places
from service.erasure.jobs import StillRunning
from service.erasure.owner import NothingToErase, OwnerErasure
from service.erasure.person import PersonErasure
from service.erasure.signed_list import BadList, SignedList, as_text, verified
from service.lib.encryption import Unreadable
from service.lib.user_agent import terminal_user, user_agent
from settings import Settings, load_settings

T = TypeVar("T")


@click.command()
@click.option("--owner", help="Name of the owner to erase.")
@click.option("--person", help="Address of a recipient of mail, or the id of its user.")
@click.option("--yes", is_flag=True, help="Erase. Without it the command only says what would go.")
@click.option(
    "--list",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the signed list; else it is printed.",
)
@click.option(
    "--verify", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Check the signature of such a list."
)
def erase(owner: str | None, person: str | None, yes: bool, target: Path | None, verify: Path | None) -> None:
    """Erase an owner, or a person, from every store. Example: offload erase --owner acme --yes --list acme.json

    Its running jobs are cancelled first. One that was cut short is finished by the same command.
    """
    if sum(one is not None for one in (owner, person, verify)) != 1:
        raise click.UsageError("Say one of --owner NAME, --person ADDRESS or --verify FILE.")
    if verify is not None:
        click.echo(_verified(verify))
        return
    if target is not None and target.exists():
        raise click.ClickException(f"{target} exists already: name a file that does not.")

    async def work(settings: Settings, database: Database, redis: Client) -> SignedList | None:
        erasure = (
            OwnerErasure(settings, database, redis, owner)
            if owner is not None
            else PersonErasure(settings, database, redis, person or "")
        )
        if not yes:
            _report(await erasure.find())
            return None
        return await erasure.erase(by=f"cli:{terminal_user(user_agent())}")

    written = _run(work)
    if written is None:
        return
    text = as_text(written)
    if target is None:
        click.echo(text.decode(), nl=False)
    else:
        _write(target, text)
        click.echo(f"Erased. The signed list is in {target}.")
    for place in written.outside:
        click.echo(f"Not reached: {place}.", err=True)


def _report(found: Counter[str]) -> None:
    for kind, number in sorted(found.items()):
        click.echo(f"{number:>10,}  {kind}")
    click.echo("Nothing was erased: add --yes to do it.")


def _write(target: Path, text: bytes) -> None:
    try:
        target.write_bytes(text)
    except OSError as error:
        # No other run writes it again: there is nothing left to erase.
        click.echo(text.decode(), nl=False)
        raise click.ClickException(
            f"Erased, but the signed list cannot be written to {target} ({error.strerror}): it is printed above, keep it."
        ) from None


def _verified(file: Path) -> str:
    try:
        found = verified(file.read_bytes(), load_settings().link_key)
    except BadList as error:
        raise click.ClickException(str(error)) from None
    return f"The signature fits: {found.subject} ({found.kind}) was erased by {found.by}, {found.ended_at}."


def _run(work: Callable[[Settings, Database, Client], Awaitable[T]]) -> T:
    settings = load_settings()

    async def within() -> T:
        async with open_database(settings.database_url) as database, open_places(settings) as redis:
            return await work(settings, database, redis)

    try:
        return asyncio.run(within())
    except (NothingToErase, StillRunning, Unreadable) as error:
        raise click.ClickException(str(error)) from None
    except Exception as error:
        away = away_sentence(error)
        if away is None:
            raise
        raise click.ClickException(f"{away}. What was removed so far stays removed: run the command again.") from None
