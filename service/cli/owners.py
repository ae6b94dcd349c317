"""`offload owners`: plans and use of owners, straight in the database and the queue server of this installation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from service.database.connection import open_database
from service.database.owners import BadLimits, Owners
from service.engine.redis.places import open_places
from service.engine.store.placed import open_store
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from service.monitoring.owner_usage import OwnerUsage, OwnerUse
from settings import load_settings
from settings.plans import PRIORITIES, Limits, Plan

T = TypeVar("T")

PAGE = 200


@click.group()
def owners() -> None:
    """Owners: list their use and their limits, and set their plans."""


@owners.command("list")
@click.option("--search", default="", help="Only owners whose name contains it.")
def list_command(search: str) -> None:
    """List owners in order of their names. Example: offload owners list --search acme"""

    async def work(known: Owners, usage: OwnerUsage, _: Audit) -> list[OwnerUse]:
        found, after = [], ""
        while True:
            page = await known.list(load_settings().api_keys.values(), search=search, after=after, limit=PAGE)
            found += await usage.of_all(page.owners)
            if page.next_after is None:
                return found
            after = page.next_after

    rows = [_cells(use) for use in _run(work)]
    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table("owner", "plan", "waiting", "running", "requests", "stored bytes", "pages", "mails")
    for row in rows:
        table.add_row(*row)
    console.print(table if rows else "There are no owners.")


@owners.command("set")
@click.argument("owner")
@click.option("--plan", help="Name of a plan, or `default`; as it is if not given.")
@click.option("--priority", type=click.Choice([*PRIORITIES, "plan"]), help="Highest priority of its jobs.")
@click.option("--weight", metavar="NUMBER", help="Share of a busy queue relative to other owners.")
@click.option("--queued-jobs", metavar="NUMBER", help="Waiting jobs over all queues.")
@click.option("--requests-per-minute", metavar="NUMBER", help="API requests a minute.")
@click.option("--stored-bytes", metavar="NUMBER", help="Bytes of documents.")
@click.option("--pages-per-month", metavar="NUMBER", help="Pages uploaded in a calendar month.")
@click.option("--mails-per-hour", metavar="NUMBER", help="Messages an hour.")
def set_command(owner: str, plan: str | None, **given: str | None) -> None:
    """Set an owner's plan, or limits of its own: a number, `none` for no limit, `plan` for the plan's.

    Example: offload owners set acme --plan premium --pages-per-month 50000
    """
    changes = {field: value for field, value in given.items() if value is not None}
    if plan is None and not changes:
        raise click.UsageError("Say what to set, such as --plan premium.")

    async def work(known: Owners, _: OwnerUsage, audit: Audit) -> Limits:
        row = await known.get(owner)
        own = (row.own_fields if row else {}) | changes
        own = {field: value for field, value in own.items() if value != "plan"}
        chosen = (row.plan if row else None) if plan is None else None if plan == "default" else plan
        actor = f"cli:{terminal_user(user_agent())}"
        limits = await known.set(owner, chosen, own, by=actor)
        text = f"plan {chosen or 'by default'}" + "".join(f", {field}={value}" for field, value in own.items())
        target = Target("owner", owner)
        await audit.record(
            AuditEntry(actor=actor, role="operator", action="owner.limited", target=target, owner=owner, detail=text)
        )
        return limits

    limits = _run(work)
    shown = ", ".join(f"{field} {getattr(limits.values, field)}" for field in Plan.model_fields if field in limits.own)
    click.echo(f"{owner} has the plan {limits.plan}{f', and of its own: {shown}' if shown else ''}.")


def _run(work: Callable[[Owners, OwnerUsage, Audit], Awaitable[T]]) -> T:
    settings = load_settings()

    async def within() -> T:
        async with open_database(settings.database_url) as database, open_places(settings) as redis:
            known = Owners(database, settings)
            usage = OwnerUsage(database, known, open_store(redis), settings.queues)
            return await work(known, usage, Audit(database))

    try:
        return asyncio.run(within())
    except BadLimits as error:
        raise click.ClickException(str(error)) from None


def _cells(use: OwnerUse) -> list[str]:
    values = use.limits.values
    pairs = [
        (use.waiting, use.waiting_max),
        (use.running, None),
        (use.requests, values.requests_per_minute),
        (use.bytes, values.stored_bytes),
        (use.pages, values.pages_per_month),
        (use.mails, values.mails_per_hour),
    ]
    plan = f"{use.limits.plan}*" if use.limits.own else use.limits.plan
    return [use.owner, plan, *(_pair(used, most) for used, most in pairs)]


def _pair(used: int | None, most: int | None) -> str:
    shown = "-" if used is None else f"{used:,}"
    return f"{shown} of {most:,}" if most is not None else shown
