"""`offload keys`: API keys of this installation, straight in its database, so that the first key needs no key."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from service.database.api_keys import ApiKey, ApiKeys, BadKeyRequest, NoSuchKey, Scope
from service.database.column_types import utc_now
from service.database.connection import open_database
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings import load_settings

T = TypeVar("T")

OVERLAP_MINUTES = 60
"""Time for which a rotated key stays valid by default: enough to hand the new one to every client."""


@click.group()
def keys() -> None:
    """API keys: create, list, rotate, revoke. The secret is shown once; only its SHA-256 is kept."""


@keys.command()
@click.option("--owner", required=True, help="Owner whose files and jobs the key reaches.")
@click.option("--name", required=True, help="What the key is for, such as 'web app'.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([s.value for s in Scope]), help="Repeat; all if none."
)
@click.option("--type", "job_types", multiple=True, metavar="TYPE", help="Only these job types; repeat; all if none.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Expires after so many days; never if not given.")
def create(owner: str, name: str, scopes: tuple[str, ...], job_types: tuple[str, ...], days: int | None) -> None:
    """Make a key and print its secret.

    Example: offload keys create --owner acme --name "web app" --scope submit --scope read --days 365
    """
    expires_at = utc_now() + timedelta(days=days) if days else None

    async def work(api_keys: ApiKeys, audit: Audit) -> tuple[ApiKey, str]:
        key, secret = await api_keys.create(
            owner, name, created_by=_actor(), scopes=scopes or tuple(Scope), job_types=job_types, expires_at=expires_at
        )
        await _record(audit, "key.created", key)
        return key, secret

    _show_secret(*_run(work))


@keys.command("list")
@click.option("--owner", help="Only this owner's.")
def list_command(owner: str | None) -> None:
    """List keys, newest first. Example: offload keys list --owner acme"""
    rows = _run(lambda api_keys, _: api_keys.list(owner))
    console = Console()
    if not console.is_terminal:
        for key in rows:
            click.echo("\t".join(_cells(key)))
        return
    table = Table("id", "owner", "name", "key", "scopes", "job types", "state", "expires", "last used", "created by")
    for key in rows:
        table.add_row(*_cells(key))
    console.print(table if rows else "There are no keys in the database; OFFLOAD_API_KEYS hold besides.")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap", type=click.IntRange(0, 10_080), default=OVERLAP_MINUTES, show_default=True, metavar="MINUTES",
    help="The old key stays valid so long.",
)  # fmt: skip
def rotate(key_id: str, overlap: int) -> None:
    """Make a successor with the same rights. Example: offload keys rotate key-0a1b2c3d4e5f6071 --overlap 120"""

    async def work(api_keys: ApiKeys, audit: Audit) -> tuple[ApiKey, str]:
        key, secret = await api_keys.rotate(key_id, created_by=_actor(), overlap=timedelta(minutes=overlap))
        await _record(audit, "key.rotated", key, f"after {key_id}")
        return key, secret

    _show_secret(*_run(work))


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Refuse a key from now on, everywhere within a second. Example: offload keys revoke key-0a1b2c3d4e5f6071"""

    async def work(api_keys: ApiKeys, audit: Audit) -> ApiKey:
        key = await api_keys.revoke(key_id)
        await _record(audit, "key.revoked", key)
        return key

    key = _run(work)
    click.echo(f"{key.key_id} ({key.name}, of {key.owner}) is revoked.")


def _run(work: Callable[[ApiKeys, Audit], Awaitable[T]]) -> T:
    async def within() -> T:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(open_database(load_settings().database_url))
            return await work(ApiKeys(database), Audit(database))

    try:
        return asyncio.run(within())
    except (BadKeyRequest, NoSuchKey) as error:
        raise click.ClickException(str(error)) from None


def _actor() -> str:
    return f"cli:{terminal_user(user_agent())}"


async def _record(audit: Audit, action: str, key: ApiKey, detail: str = "") -> None:
    rights = ", ".join([*sorted(key.scope_set), *sorted(key.type_set)])
    text = "; ".join(filter(None, [f"{key.name}: {rights}", detail]))
    await audit.record(
        AuditEntry(
            actor=_actor(),
            role="operator",
            action=action,
            target=Target("key", key.key_id),
            owner=key.owner,
            detail=text,
        )
    )


def _show_secret(key: ApiKey, secret: str) -> None:
    click.echo(
        f"{key.key_id} of {key.owner} ({', '.join(sorted(key.scope_set))}). This secret is shown only now:", err=True
    )
    click.echo(secret)


def _cells(key: ApiKey) -> list[str]:
    moments: list[datetime | None] = [key.expires_at, key.last_used_at]
    expires, used = (moment.strftime("%Y-%m-%d %H:%M") if moment else "never" for moment in moments)
    types = ", ".join(sorted(key.type_set)) or "all"
    row: list[Any] = [key.key_id, key.owner, key.name, f"{key.hint}…", ", ".join(sorted(key.scope_set)), types]
    return [*row, key.state, expires, used, key.created_by]
