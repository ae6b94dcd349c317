"""`offload pause`, `resume` and `drain`: queues of this installation, straight at its queue server, with an audit line."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import click

from service.cli.queue_name import QueueName
from service.database.connection import open_database
from service.engine.redis.places import open_places
from service.engine.states import State
from service.engine.store import Store
from service.engine.store.placed import open_store
from service.lib.clock import now_ms
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings import load_settings

POLL_S = 0.5
"""Between two counts while a queue drains."""

REASON = "paused by `offload {command}`"

queue_argument = click.argument("queue", type=QueueName())
reason_option = click.option("--reason", help="Shown on the dashboard with the pause.")


@click.command()
@queue_argument
@reason_option
@click.option("--minutes", type=click.IntRange(1, 100_000), help="Resumes automatically after so long.")
def pause(queue: str, reason: str | None, minutes: int | None) -> None:
    """Let no more jobs of QUEUE start; running ones go on. Example: offload pause email-sender --reason deploy"""

    async def work(store: Store) -> str:
        await _pause(store, queue, reason or REASON.format(command="pause"), minutes)
        return "queue.paused"

    _run(queue, reason or "", work)
    click.echo(f"{queue} is paused{f' for {minutes} minutes' if minutes else ''}.")


@click.command()
@queue_argument
def resume(queue: str) -> None:
    """Let jobs of QUEUE start again. Example: offload resume email-sender"""

    async def work(store: Store) -> str:
        await store.controls.remove(queue, "pause")
        return "queue.resumed"

    _run(queue, "", work)
    click.echo(f"{queue} is resumed.")


@click.command()
@queue_argument
@reason_option
@click.option("--timeout", type=click.IntRange(1, 86_400), help="Give up waiting after so many seconds.")
def drain(queue: str, reason: str | None, timeout: int | None) -> None:
    """Pause QUEUE and wait until none of its jobs run. Example: offload drain pdf-processing --timeout 900

    The queue stays paused; `offload resume` lets it go on. The exit code is 1 if jobs still ran at the end of the time.
    """
    still: list[int] = []

    async def work(store: Store) -> str:
        await _pause(store, queue, reason or REASON.format(command="drain"), None)
        until = time.monotonic() + timeout if timeout else None
        while running := (await store.counts())[queue][State.ACTIVE]:
            if still[-1:] != [running]:
                still.append(running)
                click.echo(f"{queue}: {running} running", err=True)
            if until and time.monotonic() > until:
                raise click.ClickException(f"{running} jobs of {queue} still run after {timeout} s; it stays paused.")
            await asyncio.sleep(POLL_S)
        return "queue.drained"

    _run(queue, reason or "", work)
    click.echo(f"{queue} is paused, and none of its jobs run.")


async def _pause(store: Store, queue: str, reason: str, minutes: int | None) -> None:
    until_ms = now_ms() + minutes * 60_000 if minutes else None
    try:
        await store.controls.set(queue, "pause", reason=reason, by=_actor(), until_ms=until_ms)
    except ValueError as error:
        raise click.ClickException(f"{error}.") from None


def _run(queue: str, detail: str, work: Callable[[Store], Awaitable[str]]) -> None:
    settings = load_settings()

    async def within() -> None:
        async with open_places(settings) as redis:
            action = await work(open_store(redis))
            async with open_database(settings.database_url) as database:
                target = Target("queue", queue)
                await Audit(database).record(
                    AuditEntry(actor=_actor(), role="operator", action=action, target=target, owner="", detail=detail)
                )

    asyncio.run(within())


def _actor() -> str:
    return f"cli:{terminal_user(user_agent())}"
