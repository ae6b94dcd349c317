"""`offload top`: queues, workers and jobs of this installation in a terminal, straight at its queue server."""

import asyncio
import sys
from contextlib import AsyncExitStack

import click

from service.cli.top_app import Top
from service.database.connection import open_database
from service.engine.redis.client import connect
from service.engine.store import Store
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from settings import load_settings


@click.command()
def top() -> None:
    """Show queues, workers and running jobs with their bars, and act on them by keys. Example: offload top

    p pauses a queue or resumes it, r retries a job, c cancels it, t follows its log, Tab changes the table, q ends.
    A lost connection is said, and comes back.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException(
            "`offload top` needs a terminal; `offload jobs` and `offload workers` write to a pipe."
        )
    asyncio.run(_run())


async def _run() -> None:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        redis = connect(settings.queue_server_url())
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        audit = Audit(await stack.enter_async_context(open_database(settings.database_url)))

        async def record(action: str, kind: str, target: str) -> None:
            await audit.record(
                AuditEntry(
                    actor=f"cli:{terminal_user(user_agent())}",
                    role="operator",
                    action=action,
                    target=Target(kind, target),
                    owner="",
                    detail="offload top",
                )
            )

        await Top(Store(redis), record).run_async()
