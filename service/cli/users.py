"""`offload users`: dashboard users of this installation, straight in its database, so that the first one needs no other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import click
from rich.console import Console

from service.access.sessions import Sessions
from service.access.users import BadUser, NoSuchUser, Users
from service.cli.tables import print_rows
from service.database.connection import open_database
from service.database.dashboard_users import DashboardUserRow
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings import load_settings
from settings.credentials import Role
from settings.queues import Queue

T = TypeVar("T")

ROLES = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Dashboard users: add, list, change their role, remove. Those of OFFLOAD_DASHBOARD_USERS hold besides."""


def _rights(command: Callable[..., None]) -> Callable[..., None]:
    names = click.Choice([str(one) for one in Queue])
    in_queue = "The role holds in this queue, and elsewhere only that of a viewer; repeat; all if none."
    sees = "See payloads, documents and personal data. By default an operator does, and a viewer does not."
    queue = click.option("--queue", "queues", multiple=True, type=names, help=in_queue)
    return queue(click.option("--personal/--no-personal", default=None, help=sees)(command))


@users.command()
@click.argument("name")
@click.option("--role", type=ROLES, default=Role.VIEWER.value, show_default=True)
@click.password_option(help="Asked for if not given, which keeps it out of the shell's history.")
@_rights
def add(name: str, role: str, password: str, personal: bool | None, queues: tuple[str, ...]) -> None:
    """Add a user. Example: offload users add eva --role operator --queue email-sender"""
    chosen = Role(role)

    async def work(people: Users, audit: Audit) -> DashboardUserRow:
        sees = chosen is Role.OPERATOR if personal is None else personal
        row = await people.add(name, password, chosen, created_by=_actor(), personal=sees, queues=queues)
        await _record(audit, "user.added", row.name, rights_of(row))
        return row

    row = _run(work)
    click.echo(f"{row.name} is {rights_of(row)}.")


@users.command("list")
def list_command() -> None:
    """List the users of the database. Example: offload users list"""
    rows = _run(lambda people, _: people.list())
    cells = [[row.name, row.role, "yes" if row.personal else "no", ", ".join(row.queue_names) or "all",
              row.created_at.strftime("%Y-%m-%d %H:%M"), row.created_by] for row in rows]  # fmt: skip
    empty = "There are no users in the database; OFFLOAD_DASHBOARD_USERS hold besides."
    print_rows(Console(), ["name", "role", "personal data", "queues", "added", "by"], cells, empty)


@users.command()
@click.argument("name")
@click.argument("role", type=ROLES)
@_rights
def role(name: str, role: str, personal: bool | None, queues: tuple[str, ...]) -> None:
    """Set a user's role and rights, in open sessions too. Example: offload users role eva viewer --personal"""
    chosen = Role(role)

    async def work(people: Users, audit: Audit) -> DashboardUserRow | None:
        sees = chosen is Role.OPERATOR if personal is None else personal
        await people.change(name, role=chosen, personal=sees, queues=queues)
        row = await people.find(name)
        await _record(audit, "user.changed", name, rights_of(row) if row else "")
        return row

    row = _run(work)
    click.echo(f"{name} is {rights_of(row) if row else role} now.")


@users.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a user and end its sessions, everywhere within a second. Example: offload users remove eva"""

    async def work(people: Users, audit: Audit) -> None:
        await people.remove(name)
        await _record(audit, "user.removed", name)

    _run(work)
    click.echo(f"{name} is removed, and its sessions have ended.")


@users.command("sign-out")
@click.argument("name")
def sign_out(name: str) -> None:
    """End all sessions of a user. Example: offload users sign-out eva"""

    async def end() -> int:
        async with AsyncExitStack() as stack:
            settings = load_settings()
            database = await stack.enter_async_context(open_database(settings.database_url))
            number = await Sessions(database, settings.session_idle).end_all(name)
            await _record(Audit(database), "session.ended", name, f"{number} sessions")
            return number

    click.echo(f"Sessions of {name} that have ended: {asyncio.run(end())}.")


def rights_of(row: DashboardUserRow) -> str:
    """Role and rights in words, such as "operator of email-sender, who sees personal data"."""
    where = f" of {', '.join(row.queue_names)}" if row.queue_names else ""
    return f"{row.role}{where}, who sees {'' if row.personal else 'no '}personal data"


def _run(work: Callable[[Users, Audit], Awaitable[T]]) -> T:
    async def within() -> T:
        async with AsyncExitStack() as stack:
            settings = load_settings()
            database = await stack.enter_async_context(open_database(settings.database_url))
            return await work(Users(database, reserved=settings.dashboard_users), Audit(database))

    try:
        return asyncio.run(within())
    except (BadUser, NoSuchUser) as error:
        raise click.ClickException(str(error)) from None


def _actor() -> str:
    return f"cli:{terminal_user(user_agent())}"


async def _record(audit: Audit, action: str, name: str, detail: str = "") -> None:
    entry: dict[str, Any] = {"actor": _actor(), "role": "operator", "owner": f"dashboard:{name}", "detail": detail}
    await audit.record(AuditEntry(action=action, target=Target("user", name), **entry))
